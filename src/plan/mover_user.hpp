#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/kinds.hpp"
#include "plan/workloads.hpp"

namespace mtc::plan {

/// Whom a mover runs as where it may not be root: as whoever uses the claim, so that it reads and writes what they do.
/// What is absent is the cluster's to choose.
struct MoverUser {
  std::optional<std::int64_t> user, group, fs_group;
  std::vector<std::int64_t> groups;  ///< supplemental ones
};

/// That of the container that mounts a claim: in the template of a workload, or else in a pod. Nobody, if nobody says
/// so, or if it is root.
MoverUser user_of(const WorkloadObjects& objects, const kube::ObjectKey& claim);
/// The same, of what runs on a cluster, unless a migration says whom.
Task<MoverUser> mover_user(kube::ClientPtr cluster, api::Ref claim, api::RunAs asked);

}  // namespace mtc::plan
