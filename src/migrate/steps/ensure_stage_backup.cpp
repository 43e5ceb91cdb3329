#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "migrate/indirect/repositories.hpp"
#include "migrate/indirect/snapshots.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_manifests.hpp"
#include "migrate/volumes/claim_use.hpp"
#include "plan/repositories.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kFailedPhase = "StageBackupFailed";

/// Why the claim cannot be read now; "" if it can. By now the applications have been stopped, if they are to be.
Task<std::string> hindrance(Migration& m, api::PlanVolume volume) {
  if (volume.is_snapshot_copy()) co_return "";  // what is read is a claim that nobody else uses
  const auto& name = volume.claim;
  const auto claim = co_await kube::must_get(*m.source, kube::types::persistent_volume_claims(), {name.ns, name.name});
  if (!volumes::is_of_one_pod(claim)) co_return "";
  const auto user = co_await volumes::user_of(m.source, name);
  if (user.pod.empty()) co_return "";
  co_return fmt::format(
      "PersistentVolumeClaim {} of the source is ReadWriteOncePod and Pod {} uses it, so no other pod can read it: "
      "stop that pod, or run the migration with `quiescePods`.",
      name.str(), user.pod);
}

Json stage_resources(const Json& excluded) {
  Json out = Json::array();
  for (const auto* name : {"serviceaccount", "persistentvolumes", "persistentvolumeclaims", "namespaces", "secrets",
                           "configmaps", "pods"}) {
    if (std::find(excluded.begin(), excluded.end(), name) == excluded.end()) out.push_back(name);
  }
  return out;
}

Json stage_backup(const Migration& m, const std::string& location, const std::string& snapshot_location) {
  const auto excluded = array_at(m.plan_object, "status.excludedResources");
  auto spec = backup_spec(m, location, snapshot_location);
  spec["includedResources"] = stage_resources(excluded);
  if (!excluded.empty()) spec["excludedResources"] = excluded;
  spec["labelSelector"] = {{"matchLabels", {{api::labels::kIncludedInStage, m.self.uid}}}};
  return velero_object(m, kube::types::backups(), "stage", api::labels::kStageBackup, velero_annotations(m),
                       std::move(spec));
}

}  // namespace

/// The repositories stand since the row before; snapshots, and the Secrets of movers, come now.
Task<Outcome> ensure_stage_backup(Migration& m) {
  std::vector<std::string> reasons;
  for (const auto& volume : indirect::staged_volumes(m)) {
    if (auto why = co_await hindrance(m, volume); !why.empty()) reasons.push_back(std::move(why));
  }
  if (!reasons.empty()) co_return fail(kFailedPhase, std::move(reasons));
  const auto location = co_await location_name(m, kube::types::backup_storage_locations());
  if (location.empty()) co_return no_location(m);
  if (auto outcome = co_await indirect::ensure_snapshots(m, kFailedPhase); outcome.kind != Outcome::Kind::kDone)
    co_return outcome;
  if (!indirect::staged_volumes(m).empty()) {
    const auto password = co_await plan::ensure_repository_key(m.connections, m.plan, m.plan.storage, m.rng);
    co_await indirect::ensure_mover_secrets(m, indirect::Side::kSource, password);
  }
  const auto snapshots = co_await location_name(m, kube::types::volume_snapshot_locations());
  co_await kube::ensure(*m.source, kube::types::backups(), stage_backup(m, location, snapshots));
  co_return done();
}

}  // namespace mtc::migrate
