#include "plan/claim_users.hpp"

#include <algorithm>
#include <utility>

namespace mtc::plan {
namespace {

constexpr auto kUnknown = "Unknown";
constexpr int kMaxOwners = 8;  ///< of owners; a chain of this length is a circle

/// Claims that a pod spec mounts. A DataVolume of a machine has a claim of its own name.
std::vector<std::string> claims_in(const Json& pod_spec) {
  std::vector<std::string> out;
  for (const auto& volume : array_at(pod_spec, "volumes")) {
    for (const auto* path : {"persistentVolumeClaim.claimName", "dataVolume.name"}) {
      if (auto name = string_at(volume, path); !name.empty()) out.push_back(std::move(name));
    }
  }
  return out;
}

/// A kind that ownerType names; a ReplicationController's own name is not among them.
std::string shown_kind(const std::string& kind) { return kind == "ReplicationController" ? kUnknown : kind; }

/// Finds the workload at the top of an object's owners.
class Owners {
 public:
  explicit Owners(const std::vector<Json>& objects) {
    for (const auto& object : objects) by_uid_[kube::uid_of(object)] = &object;
  }

  std::string top_of_workload(const Json& workload) const {
    const auto* at = &workload;
    for (int i = 0; i < kMaxOwners; ++i) {
      const auto& owners = array_at(*at, "metadata.ownerReferences");
      if (owners.size() != 1) break;
      const auto above = by_uid_.find(string_at(owners.front(), "uid"));
      if (above == by_uid_.end()) break;
      at = above->second;
    }
    return shown_kind(string_at(*at, "kind"));
  }

  std::string top_of_pod(const Json& pod) const {
    const auto& owners = array_at(pod, "metadata.ownerReferences");
    if (owners.size() != 1) return kUnknown;
    const auto kind = string_at(owners.front(), "kind");
    // A machine runs in a pod of its instance, and what is plugged in later in a pod of that pod.
    const bool is_hotplug = kind == "Pod" && kube::key_of(pod).name.starts_with("hp-");
    if (kind == "VirtualMachineInstance" || is_hotplug) return "VirtualMachine";
    const auto known = by_uid_.find(string_at(owners.front(), "uid"));
    return known == by_uid_.end() ? kUnknown : top_of_workload(*known->second);
  }

 private:
  std::map<std::string, const Json*> by_uid_;
};

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool any_in(const Json& pod_spec, const std::string& ns, const std::set<kube::ObjectKey>& claims) {
  return std::ranges::any_of(claims_in(pod_spec), [&](const std::string& name) { return claims.contains({ns, name}); });
}

}  // namespace

const Json& template_spec(const Json& workload) {
  return object_at(workload, string_at(workload, "kind") == "CronJob" ? "spec.jobTemplate.spec.template.spec"
                                                                      : "spec.template.spec");
}

std::string ordinal_of(const std::string& claim, const std::string& claim_template, const std::string& set) {
  const auto stem = claim_template + "-" + set + "-";
  if (!claim.starts_with(stem)) return "";
  auto ordinal = claim.substr(stem.size());
  return is_number(ordinal) ? ordinal : "";
}

bool mounts_any(const Json& pod, const std::set<kube::ObjectKey>& claims) {
  return any_in(object_at(pod, "spec"), kube::key_of(pod).ns, claims);
}

bool uses_any(const Json& workload, const std::set<kube::ObjectKey>& claims) {
  const auto key = kube::key_of(workload);
  if (any_in(template_spec(workload), key.ns, claims)) return true;
  return std::ranges::any_of(array_at(workload, "spec.volumeClaimTemplates"), [&](const Json& claim_template) {
    const auto name = string_at(claim_template, "metadata.name");
    return std::ranges::any_of(claims, [&](const kube::ObjectKey& claim) {
      return claim.ns == key.ns && !ordinal_of(claim.name, name, key.name).empty();
    });
  });
}

ClaimUsers::ClaimUsers(const WorkloadObjects& objects) {
  const Owners owners(objects.owners);
  for (const auto& workload : objects.owners) {
    const auto key = kube::key_of(workload);
    for (const auto& claim : claims_in(template_spec(workload)))
      note({key.ns, claim}, owners.top_of_workload(workload));
    if (string_at(workload, "kind") != "StatefulSet") continue;
    for (const auto& claim : array_at(workload, "spec.volumeClaimTemplates"))
      templates_.push_back({key.ns, key.name, string_at(claim, "metadata.name")});
  }
  for (const auto& pod : objects.pods) {
    if (string_at(pod, "status.phase") != "Running") continue;
    for (const auto& claim : claims_in(object_at(pod, "spec")))
      note({kube::key_of(pod).ns, claim}, owners.top_of_pod(pod));
  }
}

void ClaimUsers::note(const kube::ObjectKey& claim, const std::string& kind) {
  const auto [known, is_first] = kinds_.try_emplace(claim, kind);
  if (!is_first && known->second != kind) known->second = kUnknown;
}

std::string ClaimUsers::owner_type(const kube::ObjectKey& claim) const {
  if (const auto known = kinds_.find(claim); known != kinds_.end()) return known->second;
  // A set that is scaled to zero has no pods that would name its claims.
  return set_claim(claim) ? "StatefulSet" : "";
}

std::optional<SetClaim> ClaimUsers::set_claim(const kube::ObjectKey& claim) const {
  for (const auto& each : templates_) {
    if (each.ns != claim.ns) continue;
    if (auto ordinal = ordinal_of(claim.name, each.name, each.set); !ordinal.empty())
      return SetClaim{each.set, each.name, std::move(ordinal)};
  }
  return std::nullopt;
}

}  // namespace mtc::plan
