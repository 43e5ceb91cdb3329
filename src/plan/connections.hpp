#pragma once

#include <map>
#include <string>

#include "api/kinds.hpp"
#include "blob/s3.hpp"
#include "blob/store.hpp"
#include "kube/client.hpp"
#include "kube/config.hpp"

namespace mtc::plan {

/// Clients of the clusters and stores that our resources describe. Kept and shared while their connection data stays
/// the same, so that connections and discovery are reused. For tasks of one Runtime.
class Connections {
 public:
  explicit Connections(kube::ClientPtr host) : host_(std::move(host)) {}

  const kube::ClientPtr& host() const { return host_; }
  /// What tells this host's objects on a shared cluster from those of another host: the UID of the host's
  /// openshift-migration namespace.
  Task<std::string> host_id();
  /// The cluster of a MigCluster; sends nothing to it. Throws Error(kNotFound) for an absent MigCluster or Secret,
  /// Error(kInvalid) for an unusable URL, token or CA bundle.
  Task<kube::ClientPtr> cluster(api::Ref mig_cluster);
  Task<kube::ClientPtr> cluster(api::MigCluster mig_cluster);
  /// The bucket of a MigStorage; sends nothing to it. Errors as above; Error(kUnsupported) for a provider this release
  /// cannot reach.
  Task<blob::StorePtr> storage(api::MigStorage mig_storage);
  /// What storage() opens it with, for those who reach the bucket from elsewhere. Errors as above.
  Task<blob::S3Options> bucket(api::MigStorage mig_storage);

 private:
  template <typename T>
  struct Kept {
    std::string identity;
    T value;
  };
  kube::ClientPtr host_;
  std::string host_id_;
  std::map<api::Ref, Kept<kube::ClientPtr>> clusters_;
  std::map<api::Ref, Kept<blob::StorePtr>> stores_;
};

/// The key of a Secret, decoded; nullopt if the Secret or the key is absent. A single trailing newline, which `echo |
/// base64` leaves behind and which no credential ends with, is cut off.
Task<std::optional<Secret>> secret_value(kube::ClientPtr cluster, api::Ref secret, std::string key);

}  // namespace mtc::plan
