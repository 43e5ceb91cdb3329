#include "migrate/indirect/directions.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "migrate/indirect/pod_volumes.hpp"
#include "migrate/indirect/snapshots.hpp"
#include "migrate/volumes/budget.hpp"
#include "migrate/volumes/claim_use.hpp"
#include "plan/claim_size.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::migrate::indirect {
namespace {

const auto& kClaims = kube::types::persistent_volume_claims;

/// The first arguments of a mover: what it does, with which volume and which repository.
std::vector<std::string> arguments(const char* what, const plan::Mover& mover) {
  return {"mover",
          what,
          mover.device ? "--device" : "--volume",
          mover.device ? plan::kDevice : plan::kVolume,
          "--repository",
          plan::kIdentity};
}

plan::Mover mover_of(const Migration& m, Side side, const api::Ref& claim, std::int64_t attempt) {
  plan::Mover out;
  out.ns = claim.ns;
  out.name = mover_name(m, side, claim, attempt);
  out.claim = claim.name;
  out.secret = secret_name(m, side);
  out.labels = mover_labels(m, claim, attempt);
  return out;
}

Task<Json> backup_object(Migration& m, Json backup, api::PlanVolume volume) {
  const auto claim = co_await kube::must_get(*m.source, kClaims(), {volume.claim.ns, volume.claim.name});
  co_return pod_volume_backup(m, backup, volume, claim);
}

Task<plan::Mover> backup_mover(Migration& m, Json backup, api::PlanVolume volume, std::int64_t attempt) {
  const auto claim = co_await kube::must_get(*m.source, kClaims(), {volume.claim.ns, volume.claim.name});
  auto mover = mover_of(m, Side::kSource, volume.claim, attempt);
  mover.claim = claim_to_read(m, volume).name;
  mover.image = co_await plan::mover_image(m.source);
  mover.reads_only = true;
  // A volume that one node alone may mount is read on the node of its user. Nobody else uses one made of a snapshot.
  if (!volume.is_snapshot_copy() && volumes::is_of_one_node(claim)) {
    const auto user = co_await volumes::user_of(m.source, volume.claim);
    mover.node = user.node;
  }
  mover.device = plan::is_device(claim);
  mover.args = arguments("backup", mover);
  mover.args.insert(mover.args.end(), {"--host", volume.claim.str(), "--mode", m.self.quiesce ? "cutover" : "stage"});
  const auto described = pod_volume_backup(m, backup, volume, claim);
  for (const auto& [key, value] : object_at(described, "spec.tags").items())
    mover.args.insert(mover.args.end(), {"--tag", fmt::format("{}={}", key, value.get<std::string>())});
  // Files of the same size and times are the same, unless a user wants to know: on either side.
  if (volume.verify) mover.args.emplace_back("--by-hash");
  volumes::bound(mover, m.volumes.newcomers);
  co_return mover;
}

/// The PodVolumeBackup of a claim.
Task<Json> backed_up(Migration& m, api::PlanVolume volume) {
  const auto backup =
      co_await kube::must_get(*m.source, kube::types::backups(), {api::kNamespace, m.velero_name("stage")});
  const kube::ObjectKey key{api::kNamespace, pod_volume_name(backup, volume)};
  auto found = co_await m.source->get(kube::types::pod_volume_backups(), key);
  if (!found || snapshot_of(*found).empty())
    throw Error(Code::kNotFound, fmt::format("PodVolumeBackup {} of the source names no snapshot of claim {}, so there "
                                             "is nothing to restore",
                                             key.str(), volume.claim.str()));
  co_return std::move(*found);
}

Task<Json> restore_object(Migration& m, Json restore, api::PlanVolume volume) {
  const auto claim = co_await kube::must_get(*m.destination, kClaims(), {volume.target.ns, volume.target.name});
  co_return pod_volume_restore(m, restore, volume, claim, co_await backed_up(m, volume));
}

bool is_verified(const Migration& m, const api::PlanVolume& volume) { return m.self.quiesce || volume.verify; }

Task<plan::Mover> restore_mover(Migration& m, Json restore, api::PlanVolume volume, std::int64_t attempt) {
  const kube::ObjectKey key{api::kNamespace, pod_volume_name(restore, volume)};
  const auto object = co_await kube::must_get(*m.destination, kube::types::pod_volume_restores(), key);
  const auto claim = co_await kube::must_get(*m.destination, kClaims(), {volume.target.ns, volume.target.name});
  auto mover = mover_of(m, Side::kDestination, volume.target, attempt);
  mover.image = co_await plan::mover_image(m.destination);
  mover.device = plan::is_device(claim);
  mover.args = arguments("restore", mover);
  mover.args.insert(mover.args.end(), {"--snapshot", string_at(object, "spec.snapshotID")});
  if (is_verified(m, volume)) mover.args.emplace_back("--verify");
  if (volume.verify) mover.args.emplace_back("--by-hash");
  volumes::bound(mover, m.volumes.newcomers);
  co_return mover;
}

}  // namespace

Direction into_repository(const Migration& m, Json backup) {
  Direction out;
  out.side = Side::kSource;
  out.cluster = m.source;
  out.type = kube::types::pod_volume_backups();
  out.failed_to = "was not backed up";
  out.own = &api::PlanVolume::claim;
  out.parent = std::move(backup);
  out.object_of = backup_object;
  out.mover_of = backup_mover;
  out.proof_of = [](const Migration&, const api::PlanVolume&) { return Proof{.snapshot = true}; };
  out.release = remove_snapshot;
  return out;
}

Direction out_of_repository(const Migration& m, Json restore) {
  Direction out;
  out.side = Side::kDestination;
  out.cluster = m.destination;
  out.type = kube::types::pod_volume_restores();
  out.failed_to = "was not restored";
  out.own = &api::PlanVolume::target;
  out.parent = std::move(restore);
  out.object_of = restore_object;
  out.mover_of = restore_mover;
  out.proof_of = [](const Migration& migration, const api::PlanVolume& volume) {
    return Proof{.verified = is_verified(migration, volume)};
  };
  return out;
}

}  // namespace mtc::migrate::indirect
