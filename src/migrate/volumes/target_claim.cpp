#include "migrate/volumes/target_claim.hpp"

#include <fmt/format.h>

#include "api/names.hpp"

namespace mtc::migrate::volumes {
namespace {

std::string mode_of(const Json& claim) {
  const auto mode = string_at(claim, "spec.volumeMode");
  return mode.empty() ? "Filesystem" : mode;
}

bool is_ours(const Copying& c, const Json& claim) {
  if (kube::label(claim, api::labels::kMigratedByVolumes) == c.self.uid) return true;
  return !c.self.plan_uid.empty() && kube::label(claim, api::labels::kMigratedByPlan) == c.self.plan_uid;
}

}  // namespace

Json target_claim(const Copying& c, const api::ClaimCopy& claim, const Json& source) {
  auto labels = object_at(source, "metadata.labels");
  for (const auto* key : {"velero.io/restore-name", "velero.io/backup-name"}) labels.erase(key);
  labels[api::labels::kPartOf] = api::kNamespace;
  labels[api::labels::kDirectVolumeMigration] = c.self.uid;
  if (c.self.migration_uid.empty()) {
    labels[api::labels::kMigratedByVolumes] = c.self.uid;
  } else {
    labels[api::labels::kMigratedByMigration] = c.self.migration_uid;
    labels[api::labels::kMigratedByPlan] = c.self.plan_uid;
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

std::string refusal_of(const Copying& c, const Json& existing, const Json& target) {
  const auto name = kube::key_of(existing).str();
  if (!is_ours(c, existing)) {
    return fmt::format(
        "PersistentVolumeClaim {} is on the destination already and was not made by this plan: its files "
        "stay as they are. Delete it, or give the volume another target name in the plan.",
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
