#include "migrate/indirect/snapshots.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "kube/quantity.hpp"
#include "plan/snapshot_classes.hpp"
#include "plan/storage_classes.hpp"

namespace mtc::migrate::indirect {
namespace {

constexpr auto kPatience = std::chrono::minutes(10);
constexpr auto kLook = std::chrono::seconds(30);

const auto& kSnapshots = kube::types::volume_snapshots();
const auto& kClaims = kube::types::persistent_volume_claims();

Duration patience_of(const Migration& m) {
  const auto set = m.storage ? parse_go_duration(m.storage->snapshot_timeout) : std::nullopt;
  return set && *set > Duration::zero() ? *set : kPatience;
}

kube::ObjectKey key_of(const Migration& m, const api::Ref& claim) { return {claim.ns, snapshot_name(m, claim)}; }

Json metadata(const Migration& m, const api::Ref& claim) {
  auto labels = mover_labels(m);
  labels[api::labels::kCreatedForClaim] = volumes::md5_hex(claim.name);
  return {{"namespace", claim.ns}, {"name", snapshot_name(m, claim)}, {"labels", std::move(labels)}};
}

Json snapshot_of(const Migration& m, const api::Ref& claim, const std::string& snapshot_class) {
  return {
      {"apiVersion", kSnapshots.api_version()},
      {"kind", kSnapshots.kind},
      {"metadata", metadata(m, claim)},
      {"spec", {{"volumeSnapshotClassName", snapshot_class}, {"source", {{"persistentVolumeClaimName", claim.name}}}}}};
}

/// As large as the largest of what is asked for: a driver refuses less than it has stored.
std::string size_of(const Json& source, const Json& volume, const Json& snapshot) {
  auto size = string_at(source, "spec.resources.requests.storage");
  for (auto other : {string_at(volume, "spec.capacity.storage"), string_at(snapshot, "status.restoreSize")}) {
    if (kube::quantity(other) > kube::quantity(size)) size = std::move(other);
  }
  return size;
}

Json claim_of(const Migration& m, const Json& source, const Json& volume, const Json& snapshot) {
  const auto key = kube::key_of(source);
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", metadata(m, {key.ns, key.name})},
          {"spec",
           {{"accessModes", array_at(source, "spec.accessModes")},
            {"storageClassName", plan::class_of(volume)},
            {"volumeMode", string_at(source, "spec.volumeMode")},
            {"dataSource",
             {{"apiGroup", kSnapshots.group}, {"kind", kSnapshots.kind}, {"name", kube::key_of(snapshot).name}}},
            {"resources", {{"requests", {{"storage", size_of(source, volume, snapshot)}}}}}}}};
}

/// One pass over all volumes.
class Taking {
 public:
  Taking(Migration* m, std::string failed_phase) : m_(*m), failed_phase_(std::move(failed_phase)) {}

  Task<Outcome> run() {
    for (const auto& volume : staged_volumes(m_)) {
      if (!volume.is_snapshot_copy()) continue;
      namespaces_.insert(volume.claim.ns);
      co_await take(volume.claim);
    }
    if (!reasons_.empty()) co_return fail(failed_phase_, std::move(reasons_));
    warn();
    if (lines_.empty()) co_return done();
    m_.progress = std::move(lines_);
    std::vector<Subject> subjects;
    subjects.reserve(namespaces_.size());
    for (const auto& ns : namespaces_) subjects.push_back({m_.source, kSnapshots, ns, helpers_of_migration(m_)});
    const auto left = patience_of(m_) - m_.in_phase();
    co_return wait_for(std::move(subjects), left > Duration::zero() ? std::min<Duration>(left, kLook) : kLook);
  }

 private:
  Task<void> take(api::Ref claim) {
    const auto source = co_await kube::must_get(*m_.source, kClaims, {claim.ns, claim.name});
    const auto volume = co_await kube::must_get(*m_.source, kube::types::persistent_volumes(),
                                                {"", string_at(source, "spec.volumeName")});
    auto snapshot = co_await m_.source->get(kSnapshots, key_of(m_, claim));
    if (!snapshot) {
      const auto snapshot_class = co_await class_for(claim, plan::csi_driver_of(volume));
      if (snapshot_class.empty()) co_return;
      snapshot = co_await volumes::ensure_labelled(m_.source, kSnapshots, snapshot_of(m_, claim, snapshot_class),
                                                   api::labels::kMigration);
    }
    if (!bool_at(*snapshot, "status.readyToUse")) co_return judge(claim, plan::csi_driver_of(volume), *snapshot);
    co_await volumes::ensure_labelled(m_.source, kClaims, claim_of(m_, source, volume, *snapshot),
                                      api::labels::kMigration);
  }

  /// "" if there is none, with its reason noted.
  Task<std::string> class_for(api::Ref claim, std::string driver) {
    const auto classes = co_await plan::snapshot_classes_of(m_.source);
    const auto* chosen = classes ? plan::choose_class(*classes, driver) : nullptr;
    if (chosen != nullptr) co_return chosen->name;
    reasons_.push_back(fmt::format(
        "PersistentVolumeClaim {} was to be copied by a snapshot, and the source has no VolumeSnapshotClass "
        "for its driver `{}` any more: set `refresh` on the plan, and see its conditions.",
        claim.str(), driver));
    co_return "";
  }

  /// How long its driver has had: it may have been made late in the phase, by a controller that was killed before, and
  /// the source's clock may be another.
  Duration waited(const Json& snapshot) const {
    const auto made = parse_rfc3339(string_at(snapshot, "metadata.creationTimestamp")).value_or(m_.clock->now());
    return std::min<Duration>(m_.in_phase(), m_.clock->now() - made);
  }

  /// One that was cut holds what it holds, and may take its time to be stored; one that was not in time will never be.
  void judge(const api::Ref& claim, const std::string& driver, const Json& snapshot) {
    const auto name = kube::key_of(snapshot);
    const auto error = string_at(snapshot, "status.error.message");
    const bool is_cut = !string_at(snapshot, "status.creationTime").empty();
    lines_.push_back(fmt::format("VolumeSnapshot {} of claim {}: {}", name.str(), claim.str(),
                                 !error.empty() ? error
                                 : is_cut       ? "taken, and not ready to be used yet"
                                                : "waiting for its driver"));
    const auto patience = patience_of(m_);
    if (waited(snapshot) < patience) return;
    if (is_cut && error.empty()) {
      late_.push_back(name.str());
      return;
    }
    reasons_.push_back(fmt::format(
        "VolumeSnapshot {} of PersistentVolumeClaim {} is not ready to be used after {}: {}. See `kubectl get events "
        "-n {} --field-selector involvedObject.name={}` and the logs of the source's snapshot controller and driver, "
        "or select the copy method filesystem.",
        name.str(), claim.str(), go_seconds(patience),
        error.empty() ? fmt::format("nobody has taken it, neither the snapshot controller nor driver {}", driver)
                      : error,
        name.ns, name.name));
  }

  void warn() {
    if (late_.empty()) return;
    m_.conditions->set({.type = "VolumeSnapshotsPending",
                        .category = api::Category::kWarn,
                        .reason = "NotReady",
                        .message = "VolumeSnapshots [] are taken, but their driver does not let them be used yet. See "
                                   "`kubectl describe volumesnapshot` of each.",
                        .items = late_});
  }

  Migration& m_;
  std::string failed_phase_;
  std::set<std::string> namespaces_;
  std::vector<std::string> lines_, reasons_, late_;
};

/// What a cluster does not serve, or an account that never needed snapshots may not see, is not there.
Task<void> find_in(const Migration& m, kube::ResourceType type, std::string ns, std::string selector,
                   std::vector<volumes::Helper>* out) {
  const kube::ListOptions ours{.label_selector = std::move(selector)};
  const bool is_snapshot = type == kSnapshots;
  try {
    for (const auto& object : co_await kube::list_all(*m.source, type, ns, ours)) {
      if (is_snapshot || string_at(object, "spec.dataSource.kind") == kSnapshots.kind)
        out->push_back({m.source, type, kube::key_of(object), object_at(object, "metadata.labels")});
    }
  } catch (const Error& error) {
    const bool none = error.code() == Code::kNotFound || error.code() == Code::kForbidden;
    const auto volumes = staged_volumes(m);
    const bool needed = std::ranges::any_of(volumes, &api::PlanVolume::is_snapshot_copy);
    if (!is_snapshot || !none || needed) throw;
  }
}

/// A class may say that what a snapshot holds stays in the storage.
Task<void> let_storage_go(kube::ClientPtr cluster, kube::ObjectKey key) {
  const auto& contents = kube::types::volume_snapshot_contents();
  const auto snapshot = co_await cluster->get(kSnapshots, key);
  const auto name = snapshot ? string_at(*snapshot, "status.boundVolumeSnapshotContentName") : "";
  if (name.empty()) co_return;
  const auto content = co_await cluster->get(contents, {"", name});
  const bool is_its_own = content && string_at(*content, "spec.volumeSnapshotRef.uid") == kube::uid_of(*snapshot);
  if (!is_its_own || string_at(*content, "spec.deletionPolicy") == "Delete") co_return;
  const Json patch = {{"spec", {{"deletionPolicy", "Delete"}}}};
  co_await cluster->patch(contents, {"", name}, kube::PatchKind::kMerge, patch);
}

}  // namespace

std::string snapshot_name(const Migration& m, const api::Ref& claim) {
  return fmt::format("stage-snapshot-{}", volumes::md5_hex(m.self.uid + "/" + claim.str()).substr(0, 10));
}

api::Ref claim_to_read(const Migration& m, const api::PlanVolume& volume) {
  if (!volume.is_snapshot_copy()) return volume.claim;
  return {volume.claim.ns, snapshot_name(m, volume.claim)};
}

Task<Outcome> ensure_snapshots(Migration& m, std::string failed_phase) {
  Taking pass(&m, std::move(failed_phase));
  co_return co_await pass.run();
}

Task<void> remove_snapshot(Migration& m, api::PlanVolume volume) {
  if (!volume.is_snapshot_copy()) co_return;
  const auto key = key_of(m, volume.claim);
  std::vector<volumes::Helper> made = {{m.source, kClaims, key, Json()}, {m.source, kSnapshots, key, Json()}};
  co_await remove_snapshots(std::move(made));
}

Task<std::vector<volumes::Helper>> snapshots_at(const Migration& m, volumes::Places places, std::string selector) {
  std::vector<volumes::Helper> out;
  for (const auto& ns : places.source_namespaces) {
    for (const auto& type : {kClaims, kSnapshots}) co_await find_in(m, type, ns, selector, &out);
  }
  co_return out;
}

Task<void> remove_snapshots(std::vector<volumes::Helper> which) {
  for (const auto& helper : which) {
    if (helper.type == kSnapshots) co_await let_storage_go(helper.cluster, helper.key);
    co_await helper.cluster->remove(helper.type, helper.key);
  }
}

}  // namespace mtc::migrate::indirect
