#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mtc::volume {

/// An owned file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Fd();
  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// A name in a directory, as readdir gives it.
struct Name {
  std::string name;
  unsigned char kind = 0;  ///< DT_…, DT_UNKNOWN where the file system does not say
};

/// The root of a file tree; every look-up stays below it and follows no symbolic link, whatever changes meanwhile. All
/// functions block and may be called from any thread.
class Tree {
 public:
  /// Throws FileError if `root` is no directory that can be opened.
  explicit Tree(std::string root);

  /// Opens the directory at `path` (safe, see is_safe_path; may be longer than PATH_MAX). Throws FileError: ENOENT,
  /// ENOTDIR, ELOOP (a symbolic link is in the way), EXDEV (another file system is mounted there).
  Fd open_directory(std::string_view path) const;
  /// As open_directory, and makes what is missing, with mode 0700. What stands in the way and is no directory is
  /// removed.
  Fd make_directory(std::string_view path) const;
  const std::string& root() const { return root_; }
  int fd() const { return fd_.get(); }

 private:
  std::string root_;
  Fd fd_;
};

/// Opens `name` in a directory, never through a symbolic link. Returns an empty Fd and leaves errno if it cannot.
Fd open_at(int directory, const char* name, int flags);
/// All names of a directory but "." and "..", sorted by their bytes. Throws FileError with `path`.
std::vector<Name> list_names(int directory, std::string_view path);
/// Removes `name` with everything below it; what is missing is fine. Returns how many entries went. Throws FileError.
std::size_t remove_all(int directory, const std::string& name, std::string_view path);

}  // namespace mtc::volume
