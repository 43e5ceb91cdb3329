#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "api/volumes.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "plan/checks.hpp"
#include "plan/snapshot_classes.hpp"

namespace mtc::plan {
namespace {

using api::PlanVolume;

class SnapshotCheck {
 public:
  SnapshotCheck(std::vector<PlanVolume> volumes, PlanWorld* world) : volumes_(std::move(volumes)), world_(*world) {}

  Task<void> run() {
    if (world_.is_one_cluster) {
      refuse_all("source and destination are the same cluster");
      co_return;
    }
    check_drivers();
    if (by_driver_.empty()) co_return;
    bool is_forbidden = false;
    std::optional<SnapshotClasses> classes;
    try {
      classes = co_await snapshot_classes_of(world_.source_client);
    } catch (const Error& error) {
      if (error.code() != Code::kForbidden) throw;
      is_forbidden = true;
    }
    if (is_forbidden) {
      refuse_all("the source's token may not list volumesnapshotclasses.snapshot.storage.k8s.io");
    } else if (!classes) {
      refuse_unserved();
    } else {
      check_classes(*classes);
    }
  }

  std::vector<std::string> causes;

 private:
  static std::string listed(std::vector<std::string> names) {
    std::ranges::sort(names);
    return "[" + join(names, ",") + "]";
  }

  void refuse_all(const std::string& cause) {
    std::vector<std::string> claims;
    claims.reserve(volumes_.size());
    for (const auto& volume : volumes_) claims.push_back(volume.claim.str());
    causes.push_back(fmt::format("{} (claims {})", cause, listed(std::move(claims))));
  }

  /// Of those whose volumes a driver could provision once more, from a snapshot.
  void check_drivers() {
    std::vector<std::string> without, orphaned;
    for (const auto& volume : volumes_) {
      const auto& driver = world_.volumes.by_name.at(volume.pv).csi_driver;
      const auto* storage_class = find_class(world_.source_classes, volume.source_class);
      if (driver.empty()) {
        without.push_back(volume.claim.str());
      } else if (storage_class == nullptr || storage_class->provisioner != driver) {
        orphaned.push_back(volume.claim.str());
      } else {
        by_driver_[driver].push_back(volume.claim.str());
      }
    }
    if (!without.empty())
      causes.push_back(fmt::format("volumes of claims {} are of no CSI driver", listed(std::move(without))));
    if (!orphaned.empty()) {
      causes.push_back(
          fmt::format("volumes of claims {} have no storage class of their own CSI driver, by which the source could "
                      "make a volume of a snapshot",
                      listed(std::move(orphaned))));
    }
  }

  void refuse_unserved() {
    refuse_all(
        "the source does not serve snapshot.storage.k8s.io/v1: install the snapshot controller and its "
        "CustomResourceDefinitions there");
    world_.awaited.push_back({world_.source_client, kube::types::custom_resource_definitions(), ""});
  }

  void check_classes(const SnapshotClasses& classes) {
    for (const auto& [driver, claims] : by_driver_) {
      if (choose_class(classes, driver) != nullptr) continue;
      const auto known = classes_of_driver(classes, driver);
      causes.push_back(
          known.empty()
              ? fmt::format("the source has no VolumeSnapshotClass of driver {} (claims {}): create one", driver,
                            listed(claims))
              : fmt::format("nothing tells which of the VolumeSnapshotClasses {} of driver {} is meant (claims {}): "
                            "annotate one with snapshot.storage.kubernetes.io/is-default-class=true",
                            listed(known), driver, listed(claims)));
    }
    if (!causes.empty()) world_.awaited.push_back({world_.source_client, kube::types::volume_snapshot_classes(), ""});
  }

  std::vector<PlanVolume> volumes_;
  PlanWorld& world_;
  std::map<std::string, std::vector<std::string>> by_driver_;
};

}  // namespace

Task<void> check_snapshots(std::vector<PlanVolume> volumes, PlanWorld* world, api::Conditions* conditions) {
  std::erase_if(volumes, [](const PlanVolume& volume) { return !volume.is_snapshot_copy(); });
  if (volumes.empty()) co_return;
  SnapshotCheck check(std::move(volumes), world);
  co_await check.run();
  if (check.causes.empty()) co_return;
  conditions->set({.type = "VolumeSnapshotsUnavailable",
                   .category = api::Category::kCritical,
                   .reason = "NotSupported",
                   .message = fmt::format("The copy method snapshot cannot be used: {}. Or select filesystem for them.",
                                          join(check.causes, "; "))});
}

}  // namespace mtc::plan
