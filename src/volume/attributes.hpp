#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "volume/entry.hpp"
#include "volume/tree.hpp"

namespace mtc::volume {

/// An entry as it stands on a disk, and which inode it is.
struct Seen {
  Entry entry;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t links = 1;
  std::int64_t ctime_ns = 0;  ///< when content or attributes changed last, by the file system's own clock
  std::uint64_t flags = 0;    ///< STATX_ATTR_… that no copy keeps
  unsigned char kind = 0;     ///< what its directory said that it is, before anybody looked (see Name)
};

/// What a change of a file's content leaves its mark on.
struct Stamp {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  bool operator==(const Stamp&) const = default;
};
/// The stamp of an open file as it is now. Throws FileError.
Stamp stamp_of(int file, std::string_view path);
/// The stamp that a file had when it was looked at.
Stamp stamp_of(const Seen& seen);

/// Looks at `name` in an open directory, never following it. `path` is for messages. Throws FileError. Attributes that
/// belong to the machine and not to the data (security.selinux) are left out.
Seen look_at(int directory, const std::string& name, std::string_view path);
/// The same of an open file or directory; `name` is put into the entry.
Seen look_at_open(int file, std::string name, std::string_view path);

/// While it lives, the calling thread's working directory is `directory` (the thread's own: other threads keep theirs),
/// so that look_at reaches names in it directly; where the system does not allow that, nothing changes but the speed.
class WorkingDirectory {
 public:
  explicit WorkingDirectory(int directory);
  ~WorkingDirectory();
  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;

 private:
  Fd before_;
};

/// The first second, before and after 1970, whose nanoseconds are too many for 64 bits: late in 1677, early in 2262.
/// Of a time at or beyond it, an Entry has this.
inline constexpr std::int64_t kTimeLimit = 9'223'372'036;
/// Whether an entry had such a time, and what the report says of it.
bool has_cut_time(const Entry& entry);
inline constexpr std::string_view kCutTime = "time before 1678 or after 2261";

/// What was not kept, for the report: "owner", "attribute user.x", "device".
using Lost = std::vector<std::string>;

/// What no copy keeps of an entry of a disk: a time that no Entry can have, and flags that chattr sets ("flag
/// immutable").
Lost unkept_of(const Seen& seen);

/// Gives an open file or directory the owner, attributes, mode and time of `want`; touches only what differs from `is`.
/// What this process may not set goes into `lost`; other failures throw FileError.
void set_attributes(int file, const Entry& want, const Entry& is, std::string_view path, Lost& lost);
/// The same for a name in a directory; links are not followed.
void set_attributes_at(int directory, const Entry& want, const Entry& is, std::string_view path, Lost& lost);

}  // namespace mtc::volume
