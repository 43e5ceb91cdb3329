#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"
#include "kube/client.hpp"

namespace mtc::plan {

/// A VolumeSnapshotClass of a cluster, as far as plans look at it.
struct SnapshotClass {
  std::string name;
  std::string driver;
  bool is_default = false;    ///< of its driver, by the annotation of snapshot.storage.kubernetes.io
  bool is_of_velero = false;  ///< Velero is told by a label to take this one

  static SnapshotClass parse(const Json& object);
};
using SnapshotClasses = std::vector<SnapshotClass>;

/// nullopt if the cluster does not serve snapshot.storage.k8s.io/v1.
Task<std::optional<SnapshotClasses>> snapshot_classes_of(kube::ClientPtr cluster);

/// The class for volumes of a driver: its only one, or else its default one, or else Velero's. Null if it has none, or
/// several of which nothing tells one.
const SnapshotClass* choose_class(const SnapshotClasses& classes, std::string_view driver);
/// All of a driver's, by name.
std::vector<std::string> classes_of_driver(const SnapshotClasses& classes, std::string_view driver);

/// The CSI driver of a PersistentVolume; "" if it is of none, and then it has no snapshots.
std::string csi_driver_of(const Json& volume);

}  // namespace mtc::plan
