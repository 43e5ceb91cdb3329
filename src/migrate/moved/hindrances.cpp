#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/strings.hpp"
#include "migrate/moved/manifests.hpp"
#include "migrate/quiesce.hpp"
#include "plan/claim_users.hpp"

namespace mtc::migrate::moved {
namespace {

kube::ObjectKey key_of(const api::Ref& claim) { return {claim.ns, claim.name}; }

std::string unfit_on_source(const Migration& m, const api::PlanVolume& volume, const std::optional<Json>& source) {
  if (!source) return fmt::format("PersistentVolume {} of the source is gone.", volume.pv);
  if (string_at(*source, "status.phase") != "Bound" || claim_of(*source) != key_of(volume.claim)) {
    return fmt::format("PersistentVolume {} of the source is not bound to claim {} any more.", volume.pv,
                       volume.claim.str());
  }
  const auto mover = kube::label(*source, api::labels::kMovedByPlan);
  if (mover.empty() || mover == m.plan.uid) return "";
  return fmt::format(
      "PersistentVolume {} of the source was moved by another plan (UID {}), and two clusters must not use it at once: "
      "roll that plan back; if it is gone and nobody uses the volume, kubectl label persistentvolume {} {}-",
      volume.pv, mover, volume.pv, api::labels::kMovedByPlan);
}

std::string twin_in_the_way(const Migration& m, const api::PlanVolume& volume, const std::optional<Json>& twin) {
  if (!twin) return "";
  if (!is_ours(m, *twin)) {
    return fmt::format(
        "PersistentVolume {} is on the destination already and was not made by this plan: delete the object there (its "
        "data stays if its reclaim policy is Retain), or select the action copy.",
        volume.pv);
  }
  if (kube::is_being_deleted(*twin))
    return fmt::format("PersistentVolume {} of the destination is being deleted: try again when it is gone.",
                       volume.pv);
  if (claim_of(*twin) == key_of(volume.target)) return "";
  return fmt::format(
      "PersistentVolume {} was moved to claim {} of the destination, and the plan wants {} now: roll back first: mtc "
      "migrate {} --rollback",
      volume.pv, claim_of(*twin).str(), volume.target.str(), m.plan.self.name);
}

std::string claim_in_the_way(const Migration& m, const api::PlanVolume& volume, const std::optional<Json>& claim) {
  if (!claim) return "";
  if (kube::is_being_deleted(*claim))
    return fmt::format("PersistentVolumeClaim {} of the destination is being deleted: try again when it is gone.",
                       volume.target.str());
  if (is_for_twin(m, *claim) && string_at(*claim, "spec.volumeName") == volume.pv) return "";
  return fmt::format(
      "PersistentVolumeClaim {} is on the destination already and has another volume than {}: delete it, or give the "
      "volume another target name in the plan.",
      volume.target.str(), volume.pv);
}

/// Workloads that would start a pod with one of the claims, though none may be there now: CronJobs between two runs.
Task<std::vector<std::string>> workloads_up(Migration& m, std::set<kube::ObjectKey> claims) {
  std::vector<std::string> out;
  const auto objects = co_await plan::read_workloads(m.source, m.source_namespaces());
  for (auto workload : objects.owners) {
    const auto name = fmt::format("{} {}", string_at(workload, "kind"), kube::key_of(workload).str());
    const auto kind = std::ranges::find_if(
        workload_kinds(), [&](const WorkloadKind& each) { return each.type.kind == string_at(workload, "kind"); });
    if (kind != workload_kinds().end() && plan::uses_any(workload, claims) && kind->down(workload)) out.push_back(name);
  }
  co_return out;
}

/// What writes to a volume while the destination does would damage what both read.
Task<std::string> users_left(Migration& m, Stopped stopped, std::set<kube::ObjectKey> claims) {
  const Quiesced which{.namespaces = m.source_namespaces(), .selector = "", .claims = claims};
  const auto pods = co_await pods_left(m.source, which);
  std::vector<std::string> users;
  users.reserve(pods.remaining.size());
  for (const auto& pod : pods.remaining) users.push_back("Pod " + pod);
  if (stopped == Stopped::kAlready || !m.flags.quiesce) {
    for (const auto& pod : pods.stopping) users.push_back("Pod " + pod);
    for (auto& workload : co_await workloads_up(m, std::move(claims))) users.push_back(std::move(workload));
  }
  if (users.empty()) co_return "";
  co_return fmt::format(
      "[{}] of the source use volumes that are to be moved, and two clusters must not write to one volume: stop "
      "them{}.",
      join(users, ","), m.flags.quiesce ? "" : ", or run the migration with `quiescePods`");
}

}  // namespace

std::vector<api::PlanVolume> volumes_of(const Migration& m) {
  if (m.self.stage || !api::volumes_enabled(m.plan_object)) return {};
  return api::moved_volumes(m.plan);
}

Task<std::vector<std::string>> hindrances(Migration& m, Stopped stopped) {
  std::vector<std::string> out;
  std::set<kube::ObjectKey> claims;
  for (const auto& volume : volumes_of(m)) {
    const auto source = co_await m.source->get(kube::types::persistent_volumes(), {"", volume.pv});
    const auto twin = co_await m.destination->get(kube::types::persistent_volumes(), {"", volume.pv});
    const auto claim = co_await m.destination->get(kube::types::persistent_volume_claims(), key_of(volume.target));
    for (auto& why :
         {unfit_on_source(m, volume, source), twin_in_the_way(m, volume, twin), claim_in_the_way(m, volume, claim)})
      if (!why.empty()) out.push_back(why);
    claims.insert(key_of(volume.claim));
  }
  if (claims.empty()) co_return out;
  if (auto why = co_await users_left(m, stopped, std::move(claims)); !why.empty()) out.push_back(std::move(why));
  co_return out;
}

}  // namespace mtc::migrate::moved
