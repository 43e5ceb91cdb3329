#pragma once

#include <filesystem>
#include <string>

#include "sandbox/copies.hpp"
#include "sandbox/folder.hpp"
#include "sandbox/objects.hpp"
#include "sandbox/snapshots.hpp"

namespace mtc::sandbox {

/// Binds claims to volumes, makes volumes for claims, and takes back those whose claims are gone; as the controllers of
/// a real cluster do together with an external provisioner. Level-based: look at everything, and do what is missing.
class Volumes {
 public:
  Volumes(Objects* objects, Folder* folder, Copies* copies)
      : objects_(*objects), folder_(*folder), copies_(*copies), snapshots_(objects, folder, copies) {}
  void look();

 private:
  void on_volume(const Json& volume);
  void reclaim(const Json& volume);
  bool is_to_be_deleted(const Json& volume) const;
  bool is_made_here(const Json& volume) const;
  ObjectPtr grown(const ObjectPtr& volume, const Json& claim);
  void on_claim(const Json& claim);
  void bind(const Json& volume, const Json& claim);
  void bind_to_named(const Json& claim, const std::string& name);
  void find_volume(const Json& claim);
  void provision(const Json& claim, const Json& storage_class);
  bool make_place(const Json& claim, const std::filesystem::path& path, const std::string& provisioner);
  void keep_waiting(const Json& claim, const std::string& type, const std::string& reason, const std::string& message);
  void set_phase(const Json& volume, const std::string& phase, const std::string& message = "");
  bool is_awaited(const Json& claim) const;

  Objects& objects_;
  Folder& folder_;
  Copies& copies_;
  Snapshots snapshots_;
};

/// The directory of this machine that a volume is, or the file that stands for its device; empty if it is none.
std::filesystem::path directory_of(const Json& volume, const Folder& folder);

/// Why no node can have a pod: a claim that it mounts is missing, leaving or not bound; "" = one can.
std::string unschedulable(const Storage& storage, const Json& pod);

}  // namespace mtc::sandbox
