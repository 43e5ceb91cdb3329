#include "plan/workloads.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "async/scope.hpp"

namespace mtc::plan {
namespace {

constexpr std::size_t kParallel = 8;

/// Nobody can tell of a pod on a lost node whether it runs: as in the original it holds nothing up (spec migration.md
/// §19.4).
bool is_over(const Json& pod) {
  const auto phase = string_at(pod, "status.phase");
  return phase == "Succeeded" || phase == "Failed" || phase == "Unknown";
}

std::string shown(const Json& object) {
  return fmt::format("{} {}", string_at(object, "kind"), kube::key_of(object).str());
}

/// The owner that controls it, else its first; nullptr if nobody owns it.
const Json* owner_of(const Json& object) {
  const auto& owners = array_at(object, "metadata.ownerReferences");
  const auto at = std::ranges::find_if(owners, [](const Json& owner) { return bool_at(owner, "controller"); });
  if (at != owners.end()) return &*at;
  return owners.empty() ? nullptr : &owners.front();
}

/// A tool that keeps the object as a repository says; "" if none has marked it.
std::string git_tool_of(const Json& object) {
  const auto& annotations = object_at(object, "metadata.annotations");
  const auto& labels = object_at(object, "metadata.labels");
  if (annotations.contains("argocd.argoproj.io/tracking-id") || labels.contains("argocd.argoproj.io/instance"))
    return "Argo CD";
  if (labels.contains("kustomize.toolkit.fluxcd.io/name") || labels.contains("helm.toolkit.fluxcd.io/name"))
    return "Flux";
  return "";
}

/// Kinds whose objects are scaled only if nobody owns them: their owner does it.
bool follows_its_owner(const Json& object) {
  const auto kind = string_at(object, "kind");
  return kind == "ReplicaSet" || kind == "ReplicationController";
}

/// Of these, only a person can start and stop one.
bool is_manual_machine(const Json& object) {
  return string_at(object, "kind") == "VirtualMachine" && string_at(object, "spec.runStrategy") == "Manual";
}

class Sorter {
 public:
  explicit Sorter(const std::vector<Json>& owners) {
    for (const auto& object : owners) {
      by_uid_[kube::uid_of(object)] = &object;
      // A machine's pod is owned by an instance that has the machine's name.
      if (string_at(object, "kind") == "VirtualMachine") machines_[kube::key_of(object)] = &object;
    }
  }

  void sort(const Json& pod, Workloads* out) const {
    if (is_over(pod)) return;
    const auto name = kube::key_of(pod).str();
    if (const auto stranger = in_the_way(pod)) {
      out->remaining.push_back(stranger->empty() ? name : fmt::format("{} ({})", name, *stranger));
    } else {
      out->stopping.push_back(name);
    }
  }

  void contest(const Json& object, Workloads* out) const {
    if (follows_its_owner(object)) return;
    const auto* owner = owner_of(object);
    const bool ours = owner == nullptr || by_uid_.contains(string_at(*owner, "uid"));
    const auto rival =
        ours ? git_tool_of(object) : fmt::format("{} {}", string_at(*owner, "kind"), string_at(*owner, "name"));
    if (!rival.empty()) out->contested.push_back(fmt::format("{} ({})", shown(object), rival));
  }

 private:
  /// Who keeps the pod running although we scale what we know: "" for nobody at all; nullopt if it will stop.
  std::optional<std::string> in_the_way(const Json& pod) const {
    const auto* owner = owner_of(pod);
    if (owner == nullptr) return "";
    const auto* known = find(*owner, kube::key_of(pod).ns);
    while (known != nullptr && follows_its_owner(*known) && owner_of(*known) != nullptr) {
      owner = owner_of(*known);
      known = find(*owner, kube::key_of(pod).ns);
    }
    if (known != nullptr && !is_manual_machine(*known)) return std::nullopt;
    return fmt::format("{} {}", string_at(*owner, "kind"), string_at(*owner, "name"));
  }

  const Json* find(const Json& reference, const std::string& ns) const {
    if (string_at(reference, "kind") == "VirtualMachineInstance") {
      const auto at = machines_.find({ns, string_at(reference, "name")});
      return at == machines_.end() ? nullptr : at->second;
    }
    const auto at = by_uid_.find(string_at(reference, "uid"));
    return at == by_uid_.end() ? nullptr : at->second;
  }

  std::map<std::string, const Json*> by_uid_;
  std::map<kube::ObjectKey, const Json*> machines_;
};

Task<void> collect(kube::ClientPtr cluster, kube::ResourceType type, std::string ns, std::vector<Json>* out) {
  for (auto& object : co_await kube::list_all(*cluster, type, ns)) out->push_back(std::move(object));
}

}  // namespace

const std::vector<kube::ResourceType>& quiesced_types() {
  static const std::vector<kube::ResourceType> types = {kube::types::cron_jobs(),
                                                        kube::types::deployment_configs(),
                                                        kube::types::deployments(),
                                                        kube::types::stateful_sets(),
                                                        kube::types::replica_sets(),
                                                        kube::types::daemon_sets(),
                                                        kube::types::jobs(),
                                                        kube::types::replication_controllers(),
                                                        kube::types::virtual_machines()};
  return types;
}

Workloads sort_workloads(const std::vector<Json>& pods, const std::vector<Json>& owners) {
  Workloads out;
  const Sorter sorter(owners);
  for (const auto& pod : pods) sorter.sort(pod, &out);
  for (const auto& object : owners) sorter.contest(object, &out);
  return out;
}

Task<WorkloadObjects> read_workloads(kube::ClientPtr cluster, std::vector<std::string> namespaces) {
  WorkloadObjects out;
  for (const auto& ns : namespaces) co_await collect(cluster, kube::types::pods(), ns, &out.pods);
  struct Place {
    kube::ResourceType type;
    std::string ns;
  };
  std::vector<Place> places;
  const auto discovery = co_await cluster->discovery();
  for (const auto& type : quiesced_types()) {
    if (discovery->find_exact(type.group, type.version, type.plural) == nullptr) continue;
    for (const auto& ns : namespaces) places.push_back({type, ns});
  }
  co_await async::parallel_for(places.size(), kParallel, [&](std::size_t i) {
    return collect(cluster, places[i].type, places[i].ns, &out.owners);
  });
  co_return out;
}

Task<Workloads> workloads_of(kube::ClientPtr cluster, std::vector<std::string> namespaces) {
  const auto objects = co_await read_workloads(std::move(cluster), std::move(namespaces));
  co_return sort_workloads(objects.pods, objects.owners);
}

}  // namespace mtc::plan
