#include "plan/snapshot_classes.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mtc::plan {
namespace {

/// The only one that passes; null if none or several do.
template <typename Passes>
const SnapshotClass* only(const SnapshotClasses& classes, Passes passes) {
  const auto first = std::ranges::find_if(classes, passes);
  if (first == classes.end() || std::any_of(first + 1, classes.end(), passes)) return nullptr;
  return &*first;
}

}  // namespace

SnapshotClass SnapshotClass::parse(const Json& object) {
  return {.name = kube::key_of(object).name,
          .driver = string_at(object, "driver"),
          .is_default = kube::annotation(object, "snapshot.storage.kubernetes.io/is-default-class") == "true",
          .is_of_velero = kube::label(object, "velero.io/csi-volumesnapshot-class") == "true"};
}

Task<std::optional<SnapshotClasses>> snapshot_classes_of(kube::ClientPtr cluster) {
  SnapshotClasses out;
  try {
    for (const auto& object : co_await kube::list_all(*cluster, kube::types::volume_snapshot_classes(), ""))
      out.push_back(SnapshotClass::parse(object));
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    co_return std::nullopt;
  }
  co_return out;
}

const SnapshotClass* choose_class(const SnapshotClasses& classes, std::string_view driver) {
  const auto is_of = [&](const SnapshotClass& each) { return each.driver == driver; };
  if (const auto* one = only(classes, is_of)) return one;
  if (const auto* one = only(classes, [&](const auto& each) { return is_of(each) && each.is_default; })) return one;
  return only(classes, [&](const auto& each) { return is_of(each) && each.is_of_velero; });
}

std::vector<std::string> classes_of_driver(const SnapshotClasses& classes, std::string_view driver) {
  std::vector<std::string> out;
  for (const auto& each : classes) {
    if (each.driver == driver) out.push_back(each.name);
  }
  return out;
}

std::string csi_driver_of(const Json& volume) { return string_at(volume, "spec.csi.driver"); }

}  // namespace mtc::plan
