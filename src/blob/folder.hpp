#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include "blob/store.hpp"

namespace mtc::blob {

/// An open file or directory.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();
  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// Objects as files below one folder: the key a/b is the file a/b. Nothing leads out of the folder, neither a key nor
/// a symbolic link (openat2 with RESOLVE_BENEATH, Linux 5.6); links below it are not objects. Files are for the owner
/// alone: backups hold Secrets.
///
/// Keys that file names cannot hold are escaped: '%' is "%25", an empty segment is "%", and a segment that would look
/// like an unfinished file begins with "%2E". A folder cannot hold the object a beside a/b (Error(kConflict)), nor a
/// segment that is longer than 255 bytes (Error(kInvalid)).
///
/// Every function blocks. Errors: kForbidden for what the system does not allow, kUnavailable for the rest.
class Folder {
 public:
  /// Creates the folder if it is absent.
  explicit Folder(std::string path);

  /// The file of `key`, open for reading, and what it is; an empty File if there is none.
  std::pair<File, ObjectInfo> open(const std::string& key) const;
  void remove(const std::string& key) const;
  /// Offers every object in key order until `offer` returns false. Subtrees that `wants` refuses are skipped; it is
  /// given what all keys of the subtree begin with.
  void walk(const std::function<bool(std::string_view)>& wants,
            const std::function<bool(const ObjectInfo&)>& offer) const;

  /// A new file without a name, or, where the file system has none such, with a temporary one.
  struct Unfinished {
    File file;
    std::string temporary;  ///< its path below the folder; "" if it has no name
  };
  Unfinished begin(const std::string& key) const;
  /// Gives the file its name in place of what had it, and makes both last.
  ObjectInfo publish(Unfinished& unfinished, const std::string& key) const;
  void discard(const Unfinished& unfinished) const noexcept;

  const std::string& path() const { return path_; }

 private:
  struct Place {
    File folder;
    std::string name;
  };
  std::optional<Place> place_of(const std::string& key) const;
  void prune(std::string path) const;

  std::string path_;
  File root_;
};

}  // namespace mtc::blob
