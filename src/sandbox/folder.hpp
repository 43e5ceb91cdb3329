#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mtc::sandbox {

/// Where a cluster keeps files: its volumes, and what pods that run here need. Beside the state file, as
/// "west.db.files"; a cluster that forgets has a temporary folder, which goes with it. Made when something is first put
/// into it, for its owner alone (0700). Throws Error(kUnavailable) naming the folder that cannot be made.
class Folder {
 public:
  /// `state` is the cluster's state file, or ":memory:".
  explicit Folder(const std::string& state);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// The directory of a volume; it need not be there. `name` is the PersistentVolume's.
  std::filesystem::path volume(const std::string& name) const;
  /// The directory of a volume's snapshot, by its handle. It need not be there.
  std::filesystem::path snapshot(const std::string& handle) const;
  /// What a pod has of its own: its log, what is mounted. It need not be there.
  std::filesystem::path pod(const std::string& uid) const;
  /// The uids of the pods that have something here.
  std::vector<std::string> pods() const;

  /// Makes a directory in here, and those above it.
  void make(const std::filesystem::path& directory);
  /// Makes a file in here that reads as so many zeros and takes no room. What one that is there holds stays.
  void make_file(const std::filesystem::path& path, std::uint64_t size);
  /// Takes something away at once, however much there is in it: into the trash.
  void discard(const std::filesystem::path& path);
  /// Lets processes that have group kReach pass through to what is in here, and gives a pod's own files to its user.
  /// Only root can. Throws Error(kUnavailable).
  void give_pod(const std::string& uid, uid_t user, gid_t group);
  /// A group of nobody's.
  static constexpr gid_t kReach = 2'147'418'113;
  /// Whether something has come into the trash since this was last asked, or lay there from the beginning.
  bool has_new_trash();
  /// Removes what is in the trash, also of an earlier run; takes as long as there are files in it. From any thread.
  void empty_trash() const;

 private:
  enum class Kept { kYes, kNo };
  Kept kept_;
  std::filesystem::path root_;
  bool new_trash_ = false;
};

}  // namespace mtc::sandbox
