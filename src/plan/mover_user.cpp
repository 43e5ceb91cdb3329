#include "plan/mover_user.hpp"

#include <set>
#include <utility>

#include "api/names.hpp"
#include "plan/claim_users.hpp"

namespace mtc::plan {
namespace {

/// Names that a pod spec has for the volume of a claim: its own, or those of a StatefulSet's claim templates.
std::set<std::string> volumes_of(const Json& owner, const Json& pod_spec, const kube::ObjectKey& claim) {
  std::set<std::string> out;
  for (const auto& volume : array_at(pod_spec, "volumes")) {
    if (string_at(volume, "persistentVolumeClaim.claimName") == claim.name) out.insert(string_at(volume, "name"));
  }
  for (const auto& each : array_at(owner, "spec.volumeClaimTemplates")) {
    const auto name = string_at(each, "metadata.name");
    if (!ordinal_of(claim.name, name, kube::key_of(owner).name).empty()) out.insert(name);
  }
  return out;
}

bool mounts(const Json& container, const std::set<std::string>& volumes) {
  for (const auto& mount : array_at(container, "volumeMounts")) {
    if (volumes.contains(string_at(mount, "name"))) return true;
  }
  return false;
}

/// nullopt if none of its containers mounts the claim, or if nobody says who runs them.
std::optional<MoverUser> user_in(const Json& owner, const Json& pod_spec, const kube::ObjectKey& claim) {
  const auto volumes = volumes_of(owner, pod_spec, claim);
  const auto& all = object_at(pod_spec, "securityContext");
  for (const auto& container : array_at(pod_spec, "containers")) {
    if (!mounts(container, volumes)) continue;
    const auto& own = object_at(container, "securityContext");
    const auto chosen = [&](const char* field) {
      const auto first = int_at(own, field);
      return first ? first : int_at(all, field);
    };
    MoverUser out{.user = chosen("runAsUser"), .group = chosen("runAsGroup"), .fs_group = int_at(all, "fsGroup")};
    if (out.user.value_or(0) == 0) continue;
    for (const auto& group : array_at(all, "supplementalGroups")) {
      if (group.is_number_integer()) out.groups.push_back(group.get<std::int64_t>());
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace

MoverUser user_of(const WorkloadObjects& objects, const kube::ObjectKey& claim) {
  for (const auto& workload : objects.owners) {
    if (kube::key_of(workload).ns != claim.ns) continue;
    if (auto found = user_in(workload, template_spec(workload), claim)) return std::move(*found);
  }
  for (const auto& pod : objects.pods) {
    if (kube::key_of(pod).ns != claim.ns || kube::label(pod, api::labels::kPartOf) == api::kNamespace) continue;
    if (auto found = user_in(pod, object_at(pod, "spec"), claim)) return std::move(*found);
  }
  return {};
}

Task<MoverUser> mover_user(kube::ClientPtr cluster, api::Ref claim, api::RunAs asked) {
  auto out = user_of(co_await read_workloads(std::move(cluster), {claim.ns}), {claim.ns, claim.name});
  if (asked.user) out.user = asked.user;
  if (asked.group) out.group = asked.group;
  co_return out;
}

}  // namespace mtc::plan
