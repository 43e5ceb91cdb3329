#include "json/json.hpp"
#include "plan/checks.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;

/// An operator who takes volumes out of all plans means it; nobody shall be surprised by it all the same.
void tell_excluded(const std::vector<Json>& claims, api::Conditions* conditions) {
  if (claims.empty()) return;
  std::vector<std::string> names;
  names.reserve(claims.size());
  for (const auto& claim : claims) names.push_back(kube::key_of(claim).str());
  conditions->set({.type = "VolumesExcluded",
                   .category = kWarn,
                   .reason = "ExcludedResources",
                   .message =
                       "The controller's setting EXCLUDED_RESOURCES takes volumes out of all plans: claims [] and "
                       "their data will not be on the destination.",
                   .items = std::move(names)});
}

}  // namespace

Task<void> discover_volumes(api::MigPlan plan, PlanWorld* world, Json* object, api::Conditions* conditions) {
  std::vector<std::string> namespaces;
  namespaces.reserve(plan.namespaces.size());
  for (const auto& ns : plan.namespaces) namespaces.push_back(ns.source);
  const auto objects = co_await read_volumes(world->source_client, world->destination_client, std::move(namespaces));
  set_at(*object, "status.srcStorageClasses", storage_class_status(objects.source_classes));
  set_at(*object, "status.destStorageClasses", storage_class_status(objects.destination_classes));
  world->source_classes = objects.source_classes;
  world->destination_classes = objects.destination_classes;
  world->volumes = FoundVolumes{};
  if (world->settings.excludes_volumes()) {
    tell_excluded(objects.claims, conditions);
  } else {
    std::optional<Conversion> conversion;
    if (world->is_conversion) conversion = Conversion{plan.uid, string_at(*object, "status.suffix")};
    world->volumes = find_volumes(objects, plan.persistent_volumes, world->settings, conversion);
  }
  if (world->volumes.entries.empty()) {
    erase_at(*object, "spec.persistentVolumes");
  } else {
    set_at(*object, "spec.persistentVolumes", world->volumes.entries);
  }
  conditions->set({.type = "PvsDiscovered",
                   .category = kRequired,
                   .reason = "Done",
                   .message = "The `persistentVolumes` list has been updated with discovered PVs."});
}

}  // namespace mtc::plan
