#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/volumes.hpp"
#include "json/json.hpp"
#include "kube/client.hpp"

namespace mtc::plan {

/// A StorageClass of a cluster, as far as plans look at it.
struct StorageClass {
  std::string name;
  std::string provisioner;
  bool is_default = false;
  bool expands = false;  ///< claims of it can grow: allowVolumeExpansion

  static StorageClass parse(const Json& object);
  /// Whether its volumes can be mounted that way, by a built-in table of provisioners: the API does not tell (spec
  /// config-controllers.md §6.5). Of an unknown provisioner: once, as a file system.
  bool supports(std::string_view access_mode, api::VolumeMode mode) const;
};
using StorageClasses = std::vector<StorageClass>;

/// In order of their names.
Task<StorageClasses> storage_classes_of(kube::ClientPtr cluster);
const StorageClass* find_class(const StorageClasses& classes, std::string_view name);
/// status.srcStorageClasses, status.destStorageClasses (spec api.md §2.5).
Json storage_class_status(const StorageClasses& classes);
/// Of a PersistentVolume or a claim: its field, or the annotation of old times; "" if it has none.
std::string class_of(const Json& volume);

/// The class that a volume gets on the destination unless its user chooses another one (spec config-controllers.md
/// §6.6).
struct ClassChoice {
  std::string name;         ///< "" if nothing fits and there is no default class
  bool lacks_ceph = false;  ///< a Gluster volume whose successor the destination does not offer
};
ClassChoice default_class(const Json& volume, const Json& claim, const StorageClasses& source,
                          const StorageClasses& destination);

}  // namespace mtc::plan
