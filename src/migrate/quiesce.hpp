#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kube/client.hpp"
#include "plan/workloads.hpp"

namespace mtc::migrate {

/// How one kind of workload is stopped and started again (spec migration.md §19.3).
struct WorkloadKind {
  kube::ResourceType type;
  /// Stops it and leaves the record of how it was; false if it is stopped already or not ours to stop. Never overwrites
  /// a record.
  bool (*down)(Json& object);
  /// Puts it back as the record says, and removes the record; false if there is none.
  bool (*up)(Json& object);
};
/// In the order in which they are stopped: what starts others goes first.
const std::vector<WorkloadKind>& workload_kinds();

/// Which workloads a quiesce stops: all of the namespaces, unless it is about some claims, or a label.
struct Quiesced {
  std::vector<std::string> namespaces;
  std::string selector;                             ///< of labels; "" = all
  std::optional<std::set<kube::ObjectKey>> claims;  ///< only what uses one of them
};

/// Stops the workloads; kinds that the cluster does not serve are passed over. Returns how many were stopped now.
Task<std::size_t> quiesce(kube::ClientPtr cluster, Quiesced which);
/// Starts again what has a record.
Task<std::size_t> unquiesce(kube::ClientPtr cluster, std::vector<std::string> namespaces);
/// Of these, the pods that a quiesce stops and that have not ended, and those that nothing stops (plan/workloads.hpp);
/// the selector is passed over.
Task<plan::Workloads> pods_left(kube::ClientPtr cluster, Quiesced which);

}  // namespace mtc::migrate
