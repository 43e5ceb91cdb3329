#include <algorithm>

#include "api/volumes.hpp"
#include "plan/checks.hpp"
#include "plan/listing.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;

void unavailable(api::Conditions* conditions, std::string message) {
  conditions->set({.type = "StorageClassConversionUnavailable", .category = kCritical, .message = std::move(message)});
}

}  // namespace

void check_conversion(const std::vector<api::PlanVolume>& volumes, const PlanWorld& world,
                      api::Conditions* conditions) {
  const auto is_skipped = [](const api::PlanVolume& volume) { return volume.action == api::VolumeAction::kSkip; };
  if (std::ranges::all_of(volumes, is_skipped)) {
    unavailable(conditions,
                "The plan converts storage classes, and none of its volumes is selected for it: select the action copy "
                "for some, or give every namespace another name on the destination (source:destination).");
  }
  if (world.destination_classes.size() < 2) {
    unavailable(conditions,
                "The plan converts storage classes, and the cluster has fewer than two of them: add the class that the "
                "volumes shall get.");
  }
  std::vector<std::string> unchanged;
  for (const auto& volume : volumes) {
    if (!is_skipped(volume) && volume.source_class == volume.storage_class) unchanged.push_back(volume.claim.str());
  }
  set_listing(*conditions, "PvStorageClassUnchanged", kWarn, "", std::move(unchanged),
              "Claims [] would be copied to claims of the storage class that they have: choose another "
              "`selection.storageClass`, or select the action skip.");
}

}  // namespace mtc::plan
