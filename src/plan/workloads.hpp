#pragma once

#include <string>
#include <vector>

#include "json/json.hpp"
#include "kube/client.hpp"

namespace mtc::plan {

/// Who keeps an application running: which pods scaling its workloads to zero will stop, and who might undo it.
struct Workloads {
  std::vector<std::string> stopping;   ///< pods that a quiesce stops, as "ns/name"; those that ended are left out
  std::vector<std::string> remaining;  ///< pods that it cannot stop: nobody owns them, or somebody we do not know
  std::vector<std::string> contested;  ///< workloads that it stops but their owner or a GitOps tool may start again
};

/// The kinds that a quiesce scales to zero (spec migration.md §19.3), and the KubeVirt machines beside them.
const std::vector<kube::ResourceType>& quiesced_types();

/// The pods of some namespaces, and the objects of quiesced_types() that are there.
struct WorkloadObjects {
  std::vector<Json> pods, owners;
};
/// Kinds that the cluster does not serve are passed over.
Task<WorkloadObjects> read_workloads(kube::ClientPtr cluster, std::vector<std::string> namespaces);

/// Sorts the pods of a namespace by following owners up: `owners` are the objects of quiesced_types() that are there.
Workloads sort_workloads(const std::vector<Json>& pods, const std::vector<Json>& owners);
/// The same, of what the namespaces of a cluster hold.
Task<Workloads> workloads_of(kube::ClientPtr cluster, std::vector<std::string> namespaces);

}  // namespace mtc::plan
