#include "migrate/volumes/target_claim.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "kube/quantity.hpp"
#include "kube/resource.hpp"
#include "plan/claim_size.hpp"

namespace mtc::migrate::volumes {
namespace {

std::string mode_of(const Json& claim) { return plan::is_device(claim) ? "Block" : "Filesystem"; }

Json requests_of(const api::ClaimCopy& claim, const Json& source, const Json& volume) {
  auto requests = object_at(source, "spec.resources.requests");
  if (auto size = plan::target_request(source, volume, claim.capacity); !size.empty())
    requests["storage"] = std::move(size);
  return requests;
}

/// What a claim of files has, or will have as soon as its cluster has seen what it asks for; what a device has.
std::string room_of(const Json& claim) {
  return plan::is_device(claim) ? plan::size_of(claim) : plan::larger(plan::size_of(claim), plan::requested_by(claim));
}

bool is_ours(const Maker& maker, const Json& claim) {
  const auto says = [&](const char* label, const std::string& uid) {
    return !uid.empty() && kube::label(claim, label) == uid;
  };
  return says(api::labels::kMigratedByVolumes, maker.copy_uid) || says(api::labels::kMigratedByPlan, maker.plan_uid);
}

}  // namespace

Json target_claim(const Maker& maker, const api::ClaimCopy& claim, const Json& source, const Json& volume) {
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
               {"resources", {{"requests", requests_of(claim, source, volume)}}}};
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", {{"namespace", claim.target.ns}, {"name", claim.target.name}, {"labels", std::move(labels)}}},
          {"spec", std::move(spec)}};
}

std::string refusal_of(const Maker& maker, const Json& existing, const Json& target) {
  const auto name = kube::key_of(existing).str();
  if (!is_ours(maker, existing)) {
    return fmt::format(
        "PersistentVolumeClaim {} is on the destination already and was not made by this plan: what it "
        "holds stays as it is. Delete it, or give the volume another target name in the plan.",
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

std::string shortage_of(const api::ClaimCopy& claim, const Json& existing, const Json& target) {
  const auto has = room_of(existing);
  const auto name = kube::key_of(existing).str();
  if (plan::is_device(target) && kube::quantity(has) < kube::quantity(plan::requested_by(target))) {
    return fmt::format(
        "PersistentVolumeClaim {} of the destination is a device of {}, too small for the source's of {}: delete the "
        "one of the destination, or give it that size.",
        name, has, plan::requested_by(target));
  }
  if (kube::quantity(has) >= kube::quantity(claim.capacity)) return "";
  return fmt::format(
      "PersistentVolumeClaim {} of the destination is there already and has {}, less than the {} that are wanted, and "
      "its StorageClass does not let it grow: delete it (a rollback does), or want less.",
      name, has, claim.capacity);
}

Json growth_of(const Json& existing, const Json& target) {
  const auto wanted = plan::requested_by(target);
  const auto has = plan::larger(plan::size_of(existing), plan::requested_by(existing));
  if (kube::quantity(has) >= kube::quantity(wanted)) return Json();
  return {{"spec", {{"resources", {{"requests", {{"storage", wanted}}}}}}}};
}

bool is_growing(const Json& existing, const Json& target) {
  return kube::quantity(plan::size_of(existing)) < kube::quantity(plan::requested_by(target)) &&
         std::ranges::none_of(
             array_at(existing, "status.conditions"),
             [](const Json& condition) {
               return string_at(condition, "type") == "FileSystemResizePending" &&
                      string_at(condition, "status") == "True";
             });
}

}  // namespace mtc::migrate::volumes
