#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/rng.hpp"

namespace mtc::volume::testing {

/// A new folder of its own below TMPDIR, removed at the end (also if it holds what has no permissions).
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

/// Fills `root` (made if missing) with every kind of entry that this process may make: odd names, deep paths, hard
/// links, holes, attributes, capabilities, devices if it is root.
void make_random_tree(const std::string& root, Rng& rng, unsigned directories = 12);

/// Sets when the content changed last, in seconds since 1970; false if the file system has no such times.
bool set_age(const std::string& path, std::int64_t seconds);
void write_file(const std::string& path, std::string_view content);
std::string random_bytes(Rng& rng, std::size_t size);

/// What stands at each path below `root`, in words, by plain system calls of its own: type, mode, owner, size, time,
/// link target, device, attributes, content, and the first name of the same inode.
std::map<std::string, std::string> describe(const std::string& root);

}  // namespace mtc::volume::testing
