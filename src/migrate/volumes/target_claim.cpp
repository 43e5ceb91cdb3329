#include "migrate/volumes/target_claim.hpp"

#include <fmt/format.h>

#include "api/names.hpp"
#include "kube/resource.hpp"

namespace mtc::migrate::volumes {
namespace {

std::string mode_of(const Json& claim) {
  const auto mode = string_at(claim, "spec.volumeMode");
  return mode.empty() ? "Filesystem" : mode;
}

bool is_ours(const Maker& maker, const Json& claim) {
  const auto says = [&](const char* label, const std::string& uid) {
    return !uid.empty() && kube::label(claim, label) == uid;
  };
  return says(api::labels::kMigratedByVolumes, maker.copy_uid) || says(api::labels::kMigratedByPlan, maker.plan_uid);
}

}  // namespace

Json target_claim(const Maker& maker, const api::ClaimCopy& claim, const Json& source) {
  auto labels = object_at(source, "metadata.labels");
  for (const auto* key : {api::labels::kRestoreName, api::labels::kBackupName, api::labels::kIncludedInStage,
                          api::labels::kConvertedBy, api::labels::kMovedByPlan})
    labels.erase(key);
  labels[api::labels::kPartOf] = api::kNamespace;
  if (!maker.copy_uid.empty()) labels[api::labels::kDirectVolumeMigration] = maker.copy_uid;
  if (maker.migration_uid.empty()) {
    labels[api::labels::kMigratedByVolumes] = maker.copy_uid;
  } else {
    labels[api::labels::kMigratedByMigration] = maker.migration_uid;
    labels[api::labels::kMigratedByPlan] = maker.plan_uid;
  }
  const auto modes = claim.access_modes.empty() ? strings_at(source, "spec.accessModes") : claim.access_modes;
  Json spec = {{"accessModes", modes},
               {"storageClassName", claim.storage_class},
               {"volumeMode", mode_of(source)},
               {"resources", {{"requests", object_at(source, "spec.resources.requests")}}}};
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", {{"namespace", claim.target.ns}, {"name", claim.target.name}, {"labels", std::move(labels)}}},
          {"spec", std::move(spec)}};
}

std::string refusal_of(const Maker& maker, const Json& existing, const Json& target) {
  const auto name = kube::key_of(existing).str();
  if (!is_ours(maker, existing)) {
    return fmt::format(
        "PersistentVolumeClaim {} is on the destination already and was not made by this plan: its files "
        "stay as they are. Delete it, or give the volume another target name in the plan.",
        name);
  }
  if (!kube::label(existing, api::labels::kMovedByPlan).empty()) {
    return fmt::format(
        "PersistentVolumeClaim {} of the destination has a volume that was moved, which nothing is copied into: roll "
        "back first.",
        name);
  }
  if (mode_of(existing) != mode_of(target)) {
    return fmt::format(
        "PersistentVolumeClaim {} of the destination has volumeMode {}, that of the source {}: delete the "
        "one of the destination.",
        name, mode_of(existing), mode_of(target));
  }
  return "";
}

}  // namespace mtc::migrate::volumes
