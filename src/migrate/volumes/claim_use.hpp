#pragma once

#include <string>

#include "api/kinds.hpp"
#include "kube/client.hpp"

namespace mtc::migrate::volumes {

/// Who uses a claim: a running pod, none of ours, that mounts it.
struct ClaimUser {
  std::string pod;   ///< "ns/name"; "" if nobody does
  std::string node;  ///< where it runs
};
Task<ClaimUser> user_of(kube::ClientPtr cluster, api::Ref claim);
/// Whether only pods of one node may mount the claim at a time.
bool is_of_one_node(const Json& claim);
/// Whether only one pod may.
bool is_of_one_pod(const Json& claim);

}  // namespace mtc::migrate::volumes
