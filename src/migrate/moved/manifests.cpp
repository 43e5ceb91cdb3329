#include "migrate/moved/manifests.hpp"

#include <utility>

#include "api/names.hpp"
#include "migrate/volumes/target_claim.hpp"
#include "plan/storage_classes.hpp"

namespace mtc::migrate::moved {
namespace {

namespace label = api::labels;
namespace annotation = api::annotations;

constexpr auto kRetain = "Retain";
constexpr auto kMove = "move";

/// What belongs to the source's object, and not to its twin.
constexpr auto kOfTheSource = {"kubectl.kubernetes.io/last-applied-configuration",
                               "pv.kubernetes.io/bound-by-controller", annotation::kTargetStorageClass,
                               annotation::kTargetAccessMode, annotation::kCopyMethod};

std::string policy_now(const Json& volume) {
  auto policy = string_at(volume, "spec.persistentVolumeReclaimPolicy");
  return policy.empty() ? kRetain : policy;
}

/// A merge patch that is refused if somebody has changed the object meanwhile.
Json patch_of(const Json& object) {
  return {{"metadata", {{"resourceVersion", string_at(object, "metadata.resourceVersion")}}}};
}

}  // namespace

std::string policy_of(const Json& volume) {
  auto kept = kube::annotation(volume, annotation::kReclaimPolicy);
  // One that is not retained has been given another policy since; that is the one that counts.
  return kept.empty() || policy_now(volume) != kRetain ? policy_now(volume) : kept;
}

Json retaining(const Json& volume) {
  const auto kept = kube::annotation(volume, annotation::kReclaimPolicy);
  if (!kept.empty() && policy_now(volume) == kRetain) return Json();
  auto patch = patch_of(volume);
  patch["metadata"]["annotations"] = {{annotation::kReclaimPolicy, policy_of(volume)}};
  patch["spec"] = {{"persistentVolumeReclaimPolicy", kRetain}};
  return patch;
}

Json restoring(const Json& volume) {
  auto patch = patch_of(volume);
  patch["metadata"]["annotations"] = {{annotation::kReclaimPolicy, nullptr}};
  patch["metadata"]["labels"] = {{label::kMovedByPlan, nullptr}};
  patch["spec"] = {{"persistentVolumeReclaimPolicy", policy_of(volume)}};
  return patch;
}

Json twin_of(const Migration& m, const api::PlanVolume& volume, const Json& source) {
  auto labels = object_at(source, "metadata.labels");
  for (const auto* key : {label::kIncludedInStage, label::kMovedByPlan, label::kRestoreName, label::kBackupName})
    labels.erase(key);
  labels[label::kPartOf] = api::kNamespace;
  labels[label::kMigratedByMigration] = m.self.uid;
  labels[label::kMigratedByPlan] = m.plan.uid;
  auto annotations = object_at(source, "metadata.annotations");
  for (const auto* key : kOfTheSource) annotations.erase(key);
  annotations[annotation::kMigrateType] = kMove;
  annotations[annotation::kReclaimPolicy] = policy_of(source);
  auto spec = object_at(source, "spec");
  spec["persistentVolumeReclaimPolicy"] = kRetain;
  spec["claimRef"] = {{"apiVersion", "v1"},
                      {"kind", "PersistentVolumeClaim"},
                      {"namespace", volume.target.ns},
                      {"name", volume.target.name}};
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolume"},
          {"metadata", {{"name", volume.pv}, {"labels", std::move(labels)}, {"annotations", std::move(annotations)}}},
          {"spec", std::move(spec)}};
}

Json claim_for(const Migration& m, const api::PlanVolume& volume, const Json& source_volume, const Json& source_claim) {
  const api::ClaimCopy like{.source = volume.claim,
                            .target = volume.target,
                            .storage_class = plan::class_of(source_volume),
                            .access_modes = {}};
  const volumes::Maker maker{.plan_uid = m.plan.uid, .migration_uid = m.self.uid};
  auto claim = volumes::target_claim(maker, like, source_claim, source_volume);
  claim["metadata"]["labels"][label::kMovedByPlan] = m.plan.uid;
  claim["metadata"]["annotations"] = {{annotation::kMigrateType, kMove}};
  claim["spec"]["volumeName"] = volume.pv;
  return claim;
}

bool is_ours(const Migration& m, const Json& twin) { return kube::label(twin, label::kMigratedByPlan) == m.plan.uid; }

bool is_handed_over(const Json& twin) { return kube::annotation(twin, annotation::kReclaimPolicy).empty(); }

bool is_for_twin(const Migration& m, const Json& claim) {
  return kube::label(claim, label::kMovedByPlan) == m.plan.uid;
}

kube::ObjectKey claim_of(const Json& volume) {
  return {string_at(volume, "spec.claimRef.namespace"), string_at(volume, "spec.claimRef.name")};
}

}  // namespace mtc::migrate::moved
