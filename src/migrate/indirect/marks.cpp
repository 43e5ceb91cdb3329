#include "migrate/indirect/marks.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "json/patch.hpp"
#include "migrate/moved/volumes.hpp"

namespace mtc::migrate::indirect {
namespace {

constexpr std::array kAnnotations = {api::annotations::kMigrateType, api::annotations::kTargetStorageClass,
                                     api::annotations::kTargetAccessMode, api::annotations::kCopyMethod};

Json label_patch(const std::string& uid) {
  return {{"metadata", {{"labels", {{api::labels::kIncludedInStage, uid}}}}}};
}

/// Takes away what the marks are.
Json removal_patch() {
  Json annotations = Json::object();
  for (const auto* key : kAnnotations) annotations[key] = nullptr;
  return {{"metadata", {{"labels", {{api::labels::kIncludedInStage, nullptr}}}, {"annotations", annotations}}}};
}

/// An object that is gone needs no marks.
Task<void> apply(kube::ClientPtr cluster, kube::ResourceType type, kube::ObjectKey key, Json patch) {
  const auto object = co_await cluster->get(type, key);
  if (!object || apply_merge_patch(*object, patch) == *object) co_return;
  try {
    co_await cluster->patch(type, key, kube::PatchKind::kMerge, patch);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
  }
}

/// From claims of `ns`, or from volumes whose claims are in one of the namespaces.
Task<void> remove_from(kube::ClientPtr cluster, kube::ResourceType type, std::string ns,
                       const std::vector<std::string>* namespaces) {
  const kube::ListOptions marked{.label_selector = api::labels::kIncludedInStage};
  for (const auto& object : co_await kube::list_all(*cluster, type, ns, marked)) {
    const auto home = type.namespaced ? ns : string_at(object, "spec.claimRef.namespace");
    if (std::ranges::find(*namespaces, home) == namespaces->end()) continue;
    co_await apply(cluster, type, kube::key_of(object), removal_patch());
  }
}

}  // namespace

Json marks_of_volume(const Migration& m, const api::PlanVolume& volume) {
  auto patch = label_patch(m.self.uid);
  auto& annotations = patch["metadata"]["annotations"];
  annotations = {{api::annotations::kMigrateType, api::to_string(volume.action)},
                 {api::annotations::kTargetStorageClass, volume.storage_class}};
  if (volume.action == api::VolumeAction::kCopy)
    annotations[api::annotations::kCopyMethod] = api::to_string(volume.method);
  return patch;
}

Json marks_of_claim(const Migration& m, const api::PlanVolume& volume) {
  auto patch = marks_of_volume(m, volume);
  if (volume.action != api::VolumeAction::kCopy) {
    patch["metadata"]["annotations"].erase(api::annotations::kTargetStorageClass);
    return patch;
  }
  if (!volume.access_mode.empty() && volume.access_mode != "auto")
    patch["metadata"]["annotations"][api::annotations::kTargetAccessMode] = volume.access_mode;
  return patch;
}

Task<std::vector<std::string>> mark(Migration& m) {
  const auto namespaces = m.source_namespaces();
  for (const auto& ns : namespaces)
    co_await apply(m.source, kube::types::namespaces(), {"", ns}, label_patch(m.self.uid));
  auto volumes = staged_volumes(m);
  std::ranges::copy(moved::volumes_of(m), std::back_inserter(volumes));
  for (const auto& volume : volumes) {
    co_await apply(m.source, kube::types::persistent_volumes(), {"", volume.pv}, marks_of_volume(m, volume));
    co_await apply(m.source, kube::types::persistent_volume_claims(), {volume.claim.ns, volume.claim.name},
                   marks_of_claim(m, volume));
  }
  co_return std::vector{fmt::format("{0}/{0} Namespaces labeled", namespaces.size()),
                        fmt::format("{0}/{0} PV annotations/labels added.", volumes.size()),
                        fmt::format("{0}/{0} PVC annotations/labels added.", volumes.size())};
}

Task<void> unmark(kube::ClientPtr cluster, std::vector<std::string> namespaces) {
  co_await remove_from(cluster, kube::types::persistent_volumes(), "", &namespaces);
  for (const auto& ns : namespaces) {
    const auto object = co_await cluster->get(kube::types::namespaces(), {"", ns});
    if (object && !kube::label(*object, api::labels::kIncludedInStage).empty())
      co_await apply(cluster, kube::types::namespaces(), {"", ns}, removal_patch());
    co_await remove_from(cluster, kube::types::persistent_volume_claims(), ns, &namespaces);
  }
}

}  // namespace mtc::migrate::indirect
