#pragma once

#include <string>

#include "base/error.hpp"
#include "json/json.hpp"
#include "kube/client.hpp"

namespace mtc::plan {

/// What a cluster's admission (Pod Security, security context constraints, limit ranges, quotas, policies, webhooks)
/// says of a pod.
struct Admission {
  enum class What {
    kAdmitted,
    kRefused,
    kOverQuota,  ///< refused, as things stand
    kUnknown,    ///< it was not asked: no rights, a namespace that is not there or goes, a webhook that has no dry run
  } what = What::kUnknown;
  std::string words;          ///< the API server's own, of a refusal
  Json pod = Json::object();  ///< as it would be made

  /// Whether somebody has said as whom it would run, be it the cluster.
  bool names_user() const;
};

/// What a failure to create a pod says of admission.
Admission admission_of(const Error& failure);
/// Asks by a dry run: nothing is made, and what the pod mounts need not be there. Throws what says nothing of
/// admission: a cluster that does not answer.
Task<Admission> ask_admission(kube::ClientPtr cluster, Json pod);

}  // namespace mtc::plan
