#pragma once

#include <string>
#include <vector>

#include "kube/client.hpp"

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

/// Stops every workload of the namespaces that matches the label selector; kinds that the cluster does not serve are
/// passed over. Returns how many were stopped now.
Task<std::size_t> quiesce(kube::ClientPtr cluster, std::vector<std::string> namespaces, std::string selector = "");
/// Starts again what has a record.
Task<std::size_t> unquiesce(kube::ClientPtr cluster, std::vector<std::string> namespaces);
/// Pods, as "ns/name", that a quiesce stops (plan/workloads.hpp) and that have not ended.
Task<std::vector<std::string>> pods_left(kube::ClientPtr cluster, std::vector<std::string> namespaces);

}  // namespace mtc::migrate
