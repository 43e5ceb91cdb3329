#pragma once

#include <string>

#include "sandbox/copies.hpp"
#include "sandbox/folder.hpp"
#include "sandbox/objects.hpp"

namespace mtc::sandbox {

/// Takes snapshots of the volumes that this cluster's CSI driver has made (storage_class.hpp), where somebody has
/// applied the definitions of snapshot.storage.k8s.io/v1; as the snapshot controller and a driver's sidecar do. A
/// snapshot is a copy of the volume's directory. Level-based.
class Snapshots {
 public:
  Snapshots(Objects* objects, Folder* folder, Copies* copies)
      : objects_(*objects), folder_(*folder), copies_(*copies) {}
  void look();
  /// The directory, or file of a device, with what a snapshot holds. Throws Error(kNotFound) for one that is not ready.
  std::filesystem::path directory_of(const std::string& ns, const std::string& name) const;

 private:
  ResourcePtr served(const char* plural) const;
  void on_snapshot(const Json& snapshot);
  void on_content(const Json& content);
  bool is_ours(const Json& snapshot) const;
  void take(const Json& snapshot);
  std::filesystem::path source_of(const Json& snapshot) const;
  void publish(const Json& snapshot, const std::string& handle);
  void let_go(const Json& snapshot);
  void refuse(const Json& snapshot, const std::string& why);

  Objects& objects_;
  Folder& folder_;
  Copies& copies_;
  ResourcePtr snapshots_, contents_;  ///< null unless served
};

}  // namespace mtc::sandbox
