#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "api/volumes.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "plan/checks.hpp"
#include "plan/listing.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;
using api::CopyMethod;
using api::PlanVolume;
using api::VolumeAction;

constexpr std::array kAccessModes = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod", "auto"};

bool is_copied(const PlanVolume& volume) { return volume.action == VolumeAction::kCopy; }

std::string bracketed(std::vector<std::string> names) {
  std::ranges::sort(names);
  return "[" + join(names, ",") + "]";
}

class VolumeCheck {
 public:
  VolumeCheck(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions)
      : plan_(std::move(plan)), world_(world), conditions_(conditions) {}

  Task<void> run() {
    check_unbound();
    if (!read_volumes()) co_return;
    check_limit();
    check_actions();
    check_storage_classes();
    check_access_modes();
    check_copy_methods();
    check_support();
    co_await check_snapshots(volumes_, world_, conditions_);
    if (world_->is_conversion) check_conversion(volumes_, *world_, conditions_);
    co_await read_targets();
    check_volume_targets(volumes_, plan_.uid, world_, conditions_);
    co_await check_claim_room(volumes_, plan_.uid, world_, conditions_);
    if (!world_->is_one_cluster) co_await check_moved_volumes(volumes_, plan_.uid, world_, conditions_);
  }

 private:
  using Test = std::function<bool(const PlanVolume&)>;

  /// The source's names of the volumes that pass: what the original lists.
  std::vector<std::string> volumes_that(const Test& test) const {
    std::vector<std::string> out;
    for (const auto& volume : volumes_) {
      if (test(volume)) out.push_back(volume.pv);
    }
    return out;
  }

  /// Their claims: what a user knows them by.
  std::vector<std::string> claims_that(const Test& test) const {
    std::vector<std::string> out;
    for (const auto& volume : volumes_) {
      if (test(volume)) out.push_back(volume.claim.str());
    }
    return out;
  }

  const FoundVolume& found(const PlanVolume& volume) const { return world_->volumes.by_name.at(volume.pv); }
  api::VolumeMode mode_of(const PlanVolume& volume) const {
    return found(volume).is_block ? api::VolumeMode::kBlock : api::VolumeMode::kFilesystem;
  }

  bool read_volumes() {
    try {
      volumes_ = api::volumes_of(plan_);
    } catch (const Error& error) {
      conditions_->set(
          {.type = "PvInvalid", .category = kError, .reason = "NotValid", .message = std::string(error.what()) + "."});
      return false;
    }
    return true;
  }

  Task<void> read_targets() {
    std::set<std::string> namespaces;
    for (const auto& volume : volumes_) namespaces.insert(volume.target.ns);
    world_->target_claims = co_await read_target_claims(world_->destination_client, std::move(namespaces));
  }

  void check_unbound() {
    set_listing(
        *conditions_, "PvcNotBound", kError, "NotBound", world_->volumes.unbound,
        "Claims [] of the source are not bound to a volume, so there is nothing to copy and their data, if there ever "
        "was any, would be missed: start a pod that uses them, or delete them.");
    if (world_->volumes.unbound.empty()) return;
    for (const auto& ns : plan_.namespaces)
      world_->awaited.push_back({world_->source_client, kube::types::persistent_volume_claims(), ns.source});
  }

  void check_limit() {
    const auto limit = world_->settings.pv_limit;
    if (volumes_.size() <= limit) return;
    conditions_->set({.type = "PvLimitExceeded",
                      .category = kWarn,
                      .reason = "LimitExceeded",
                      .message = fmt::format("PV limit: {} exceeded, found: {}.", limit, volumes_.size())});
  }

  void check_actions() {
    set_listing(*conditions_, "PvInvalidAction", kError, "NotDone", volumes_that([&](const PlanVolume& volume) {
      const auto& actions = found(volume).actions;
      return std::ranges::find(actions, to_string(volume.action)) == actions.end();
    }),
                "Volumes [] in `persistentVolumes` have no `selection.action`, or one that is not among their "
                "`supported.actions`: select one of those.");
  }

  void check_storage_classes() {
    set_listing(
        *conditions_, "PvWarnNoCephAvailable", kWarn, "", volumes_that([&](const PlanVolume& volume) {
          return found(volume).lacks_ceph && volume.action != VolumeAction::kMove && !world_->is_one_cluster;
        }),
        "Volumes [] in `persistentVolumes` are Gluster volumes, and the destination cluster has no Ceph storage class "
        "for them: the default class is proposed instead.");
    const auto& classes = world_->destination_classes;
    if (classes.empty()) {
      set_listing(
          *conditions_, "DestinationClusterNoStorageClass", kError, "NotFound", claims_that(is_copied),
          "The destination cluster has no storage class, so claims [] cannot get volumes there: add a class to it, or "
          "select the action skip for them.");
    } else {
      set_listing(
          *conditions_, "PvNoStorageClassSelection", kWarn, "NotFound",
          volumes_that([](const PlanVolume& volume) { return is_copied(volume) && volume.storage_class.empty(); }),
          "Volumes [] in `persistentVolumes` have no `selection.storageClass`: on the destination their claims bind "
          "only to volumes without a class that somebody made beforehand.");
      set_listing(
          *conditions_, "PvInvalidStorageClass", kError, "NotDone", volumes_that([&](const PlanVolume& volume) {
            return is_copied(volume) && !volume.storage_class.empty() &&
                   find_class(classes, volume.storage_class) == nullptr;
          }),
          "Volumes [] in `persistentVolumes` have a `selection.storageClass` that the destination cluster does not "
          "have: select one of `status.destStorageClasses`.");
    }
    if (conditions_->has("DestinationClusterNoStorageClass") || conditions_->has("PvInvalidStorageClass"))
      world_->awaited.push_back({world_->destination_client, kube::types::storage_classes(), ""});
  }

  void check_access_modes() {
    const auto is_invalid = [](const PlanVolume& volume) {
      return !volume.access_mode.empty() && std::ranges::find(kAccessModes, volume.access_mode) == kAccessModes.end();
    };
    set_listing(
        *conditions_, "PvInvalidAccessMode", kError, "",
        volumes_that([&](const PlanVolume& volume) { return is_copied(volume) && is_invalid(volume); }),
        "Volumes [] in `persistentVolumes` have a `selection.accessMode` that is none of ReadWriteOnce, ReadOnlyMany, "
        "ReadWriteMany, ReadWriteOncePod and auto.");
    set_listing(
        *conditions_, "PvWarnAccessModeUnavailable", kWarn, "", volumes_that([&](const PlanVolume& volume) {
          const auto* chosen = find_class(world_->destination_classes, volume.storage_class);
          if (!is_copied(volume) || is_invalid(volume) || chosen == nullptr || volume.access_mode == "auto")
            return false;
          return std::ranges::any_of(volume.access_modes(),
                                     [&](const auto& wanted) { return !chosen->supports(wanted, mode_of(volume)); });
        }),
        "Volumes [] in `persistentVolumes` ask for access modes that their `selection.storageClass` may not offer: see "
        "`status.destStorageClasses`, and set `selection.accessMode` if so.");
  }

  void check_copy_methods() {
    const auto copied_by = [](CopyMethod method) {
      return [method](const PlanVolume& volume) { return is_copied(volume) && volume.method == method; };
    };
    set_listing(*conditions_, "PvNoCopyMethodSelection", kError, "NotFound",
                volumes_that(copied_by(CopyMethod::kUnset)),
                "Volumes [] in `persistentVolumes` have no `selection.copyMethod`: select filesystem.");
    set_listing(*conditions_, "PvInvalidCopyMethod", kError, "", volumes_that(copied_by(CopyMethod::kUnknown)),
                "Volumes [] in `persistentVolumes` have a `selection.copyMethod` that is none of their "
                "`supported.copyMethods`: select filesystem.");
    set_listing(*conditions_, "PvWarnCopyMethodSnapshot", kWarn, "", volumes_that(copied_by(CopyMethod::kSnapshot)),
                "Volumes [] in `persistentVolumes` have the `selection.copyMethod` snapshot: while one is copied, the "
                "storage of the source holds a snapshot of it and a volume made of that.");
  }

  /// Data that this release cannot move is not left behind without a word: the plan is refused.
  void check_support() {
    std::vector<std::string> causes;
    const auto refuse = [&](const Test& test, std::string_view what, std::string_view advice) {
      auto claims = claims_that(test);
      if (!claims.empty())
        causes.push_back(fmt::format("{} (claims {}: {})", what, bracketed(std::move(claims)), advice));
    };
    refuse([&](const PlanVolume& volume) { return volume.action == VolumeAction::kMove && world_->is_one_cluster; },
           "the action move within one cluster", "select copy or skip");
    refuse([&](const PlanVolume& volume) { return is_copied(volume) && volume.mode != mode_of(volume); },
           "another volume mode than that of the source", "set `pvc.volumeMode` to it");
    if (causes.empty()) return;
    conditions_->set({.type = "VolumeMigrationNotSupported",
                      .category = kCritical,
                      .reason = "NotSupported",
                      .message = "This release does not support " + join(causes, ", ") +
                                 ": the plan is refused instead of losing data."});
  }

  api::MigPlan plan_;
  PlanWorld* world_;
  api::Conditions* conditions_;
  std::vector<PlanVolume> volumes_;
};

}  // namespace

Task<void> check_volumes(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  VolumeCheck check(std::move(plan), world, conditions);
  co_await check.run();
}

}  // namespace mtc::plan
