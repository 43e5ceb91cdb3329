#include "sandbox/storage_class.hpp"

#include <fmt/format.h>

#include "kube/quantity.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {

std::optional<std::string> class_of(const Json& object) {
  if (const auto* old = member(object_at(object, "metadata.annotations"), "volume.beta.kubernetes.io/storage-class");
      old != nullptr && old->is_string())
    return old->get<std::string>();
  if (find(object, "spec.storageClassName") == nullptr) return std::nullopt;
  return string_at(object, "spec.storageClassName");
}

void choose_class(const Storage& storage, Json& claim) {
  if (class_of(claim)) return;
  ObjectPtr chosen;
  for (const auto& candidate : storage.list("storageclasses.storage.k8s.io", "")) {
    const auto& annotations = object_at(*candidate, "metadata.annotations");
    const auto says = [&](const char* key) {
      const auto* value = member(annotations, key);
      return value != nullptr && *value == "true";
    };
    if (!says("storageclass.kubernetes.io/is-default-class") &&
        !says("storageclass.beta.kubernetes.io/is-default-class"))
      continue;
    const auto made = [](const Json& object) { return string_at(object, "metadata.creationTimestamp"); };
    if (!chosen || made(*candidate) > made(*chosen)) chosen = candidate;  // the newest, as a real server has it
  }
  if (chosen) claim["spec"]["storageClassName"] = string_at(*chosen, "metadata.name");
}

void check_growth(const Storage& storage, const Json& before, const Json& after) {
  const auto asked = [](const Json& claim) {
    return kube::quantity(string_at(claim, "spec.resources.requests.storage"));
  };
  if (asked(after) <= asked(before)) return;
  const auto its_class = storage.get({"storageclasses.storage.k8s.io", "", class_of(after).value_or("")});
  if (its_class && bool_at(*its_class, "allowVolumeExpansion")) return;
  const auto name = string_at(after, "metadata.name");
  throw Failure(
      403, "Forbidden",
      fmt::format("persistentvolumeclaims \"{}\" is forbidden: only dynamically provisioned pvc can be resized "
                  "and the storageclass that provisions the pvc must support resize",
                  name),
      {{"name", name}, {"kind", "persistentvolumeclaims"}});
}

}  // namespace mtc::sandbox
