#include "volume/attributes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fmt/format.h>

#include "volume/file_error.hpp"

namespace mtc::volume {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

Type type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR: return Type::kDirectory;
    case S_IFLNK: return Type::kSymlink;
    case S_IFIFO: return Type::kFifo;
    case S_IFSOCK: return Type::kSocket;
    case S_IFCHR: return Type::kCharDevice;
    case S_IFBLK: return Type::kBlockDevice;
    default: return Type::kFile;
  }
}

template <typename Timespec>  // the two of stat and statx
std::int64_t nanoseconds(const Timespec& time) {
  if (time.tv_sec >= kTimeLimit) return kTimeLimit * kSecond;
  if (time.tv_sec <= -kTimeLimit) return -kTimeLimit * kSecond;
  return (time.tv_sec * kSecond) + time.tv_nsec;
}

bool is_device(Type type) { return type == Type::kCharDevice || type == Type::kBlockDevice; }

/// A flag as chattr sets it, and what the report says of it.
struct Flag {
  std::uint64_t bit;
  std::string_view name;
};
constexpr std::array<Flag, 6> kFlags{{{STATX_ATTR_IMMUTABLE, "flag immutable"},
                                      {STATX_ATTR_APPEND, "flag append-only"},
                                      {STATX_ATTR_NODUMP, "flag no-dump"},
                                      {STATX_ATTR_VERITY, "flag verity"},
                                      {STATX_ATTR_COMPRESSED, "flag compressed"},
                                      {STATX_ATTR_ENCRYPTED, "flag encrypted"}}};
constexpr auto kAllFlags = [] {
  std::uint64_t all = 0;
  for (const auto& flag : kFlags) all |= flag.bit;
  return all;
}();

/// `name` in a directory, or with AT_EMPTY_PATH and "" what is open. Flags come with the rest.
struct statx stat_of(int directory, const char* name, int how, std::string_view path) {
  struct statx found{};
  if (::statx(directory, name, how, STATX_BASIC_STATS, &found) != 0) throw FileError(errno, "look at", path);
  return found;
}

Seen seen_of(const struct statx& from, std::string name) {
  Seen seen;
  auto& entry = seen.entry;
  entry.name = std::move(name);
  entry.type = type_of(from.stx_mode);
  entry.mode = from.stx_mode & 07777U;
  entry.uid = from.stx_uid;
  entry.gid = from.stx_gid;
  entry.mtime_ns = nanoseconds(from.stx_mtime);
  if (entry.type == Type::kFile) {
    entry.size = from.stx_size;
    entry.sparse = from.stx_blocks * 512 < from.stx_size;
  }
  if (is_device(entry.type)) entry.rdev = makedev(from.stx_rdev_major, from.stx_rdev_minor);
  entry.shared = entry.type != Type::kDirectory && from.stx_nlink > 1;
  seen.device = makedev(from.stx_dev_major, from.stx_dev_minor);
  seen.inode = from.stx_ino;
  seen.links = from.stx_nlink;
  seen.ctime_ns = nanoseconds(from.stx_ctime);
  seen.flags = from.stx_attributes & kAllFlags;
  return seen;
}

/// The directory that a WorkingDirectory of this thread stands in; -1 if there is none.
thread_local int standing_in = -1;

/// The path by which calls that know no directory descriptors reach a name without following it.
std::string through_proc(int directory, const std::string& name) {
  if (directory == standing_in) return name;
  return fmt::format("/proc/self/fd/{}/{}", directory, name);
}

/// `directory` for calls that know descriptors. A descriptor that threads share is counted at each call; the working
/// directory is the thread's own.
int from_here(int directory) { return directory == standing_in ? AT_FDCWD : directory; }

using ListCall = std::function<ssize_t(char*, std::size_t)>;
using ReadCall = std::function<ssize_t(const char*, char*, std::size_t)>;

bool no_attributes(int number) { return number == EOPNOTSUPP || number == ENODATA || number == ENOSYS; }

/// Asks again with a larger buffer as long as the kernel says that it is too small.
template <typename Call>
std::string whole(const Call& call, std::string_view path) {
  std::string out(256, '\0');
  for (;;) {
    const auto size = call(out.data(), out.size());
    if (size >= 0) {
      out.resize(static_cast<std::size_t>(size));
      return out;
    }
    if (no_attributes(errno)) return {};
    if (errno != ERANGE || out.size() > kMaxXattrs) throw FileError(errno, "read attributes of", path);
    out.resize(out.size() * 16);
  }
}

Xattrs read_xattrs(const ListCall& list, const ReadCall& read, std::string_view path) {
  // Nearly all files have none: to ask how long the list is costs least. Where files have some (SELinux gives one to
  // each), that would be a call too many.
  thread_local bool some = false;
  std::array<char, 1024> small{};
  auto size = list(small.data(), some ? small.size() : 0);
  if (!some && size > 0) size = list(small.data(), small.size());
  some = size != 0;
  if (size == 0 || (size < 0 && no_attributes(errno))) return {};
  if (size < 0 && errno != ERANGE) throw FileError(errno, "list attributes of", path);
  const std::string names = size > 0 ? std::string(small.data(), static_cast<std::size_t>(size)) : whole(list, path);
  Xattrs out;
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (name == "security.selinux") continue;
    out.emplace_back(name, whole([&](char* to, std::size_t room) { return read(name.c_str(), to, room); }, path));
  }
  std::ranges::sort(out);
  return out;
}

/// The calls that differ between an open file and a name.
struct Calls {
  std::function<int(uid_t, gid_t)> own;
  std::function<int(mode_t)> mode;
  std::function<int(const timespec*)> times;
  std::function<int(const char*, const std::string&)> set;
  std::function<int(const char*)> drop;
};

void set_xattrs(const Calls& calls, const Xattrs& want, const Xattrs& is, std::string_view path, Lost& lost) {
  const auto failed = [&](const std::string& name) {
    if (errno != EPERM && errno != EACCES && !no_attributes(errno)) throw FileError(errno, "set " + name + " of", path);
    lost.push_back("attribute " + name);
  };
  for (const auto& [name, value] : is) {
    const auto kept = std::ranges::find(want, name, &std::pair<std::string, std::string>::first);
    if (kept == want.end() && calls.drop(name.c_str()) != 0 && errno != ENODATA) failed(name);
  }
  for (const auto& attribute : want) {
    const bool same = std::ranges::find(is, attribute) != is.end();
    if (!same && calls.set(attribute.first.c_str(), attribute.second) != 0) failed(attribute.first);
  }
}

void apply(const Calls& calls, const Entry& want, const Entry& is, std::string_view path, Lost& lost) {
  auto mode = is.mode;
  auto wanted_mode = want.mode;
  auto xattrs = is.xattrs;
  if (want.uid != is.uid || want.gid != is.gid) {
    if (calls.own(want.uid, want.gid) == 0) {
      mode = ~0U;  // A new owner takes setuid, setgid and capabilities away.
      std::erase_if(xattrs, [](const auto& each) { return each.first == "security.capability"; });
    } else if (errno == EPERM) {
      lost.emplace_back("owner");
      wanted_mode &= ~06000U;  // These would lend the rights of whoever owns the file now.
    } else {
      throw FileError(errno, "set the owner of", path);
    }
  }
  if (want.xattrs != xattrs) {
    set_xattrs(calls, want.xattrs, xattrs, path, lost);
    mode = ~0U;  // An ACL has changed the bits of the group.
  }
  bool mode_kept = wanted_mode == want.mode;
  if (want.type != Type::kSymlink && wanted_mode != mode && calls.mode(wanted_mode) != 0) {
    if (errno != EPERM) throw FileError(errno, "set the mode of", path);
    mode_kept = false;
  }
  if (!mode_kept) lost.emplace_back("mode");
  std::array<timespec, 2> times{};
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = want.mtime_ns / kSecond;
  times[1].tv_nsec = want.mtime_ns % kSecond;
  if (times[1].tv_nsec < 0) {
    times[1].tv_nsec += kSecond;
    --times[1].tv_sec;
  }
  if (want.mtime_ns != is.mtime_ns && calls.times(times.data()) != 0) {
    if (errno != EPERM) throw FileError(errno, "set the time of", path);
    lost.emplace_back("time");
  }
}

}  // namespace

WorkingDirectory::WorkingDirectory(int directory) {
  thread_local const bool own = ::unshare(CLONE_FS) == 0;  // forbidden in some containers
  if (!own || standing_in != -1) return;
  before_ = Fd(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (before_ && ::fchdir(directory) == 0) standing_in = directory;
}

WorkingDirectory::~WorkingDirectory() {
  if (!before_) return;
  standing_in = -1;
  if (::fchdir(before_.get()) != 0) {
    // It was removed meanwhile: there is nothing to go back to.
  }
}

bool has_cut_time(const Entry& entry) {
  const auto seconds = entry.mtime_ns / kSecond;
  return seconds >= kTimeLimit || seconds <= -kTimeLimit;
}

Lost unkept_of(const Seen& seen) {
  Lost lost;
  for (const auto& flag : kFlags) {
    if ((seen.flags & flag.bit) != 0) lost.emplace_back(flag.name);
  }
  if (has_cut_time(seen.entry)) lost.emplace_back(kCutTime);
  return lost;
}

Stamp stamp_of(int file, std::string_view path) {
  struct stat now{};
  if (::fstat(file, &now) != 0) throw FileError(errno, "look at", path);
  return {static_cast<std::uint64_t>(now.st_size), nanoseconds(now.st_mtim), nanoseconds(now.st_ctim)};
}

Stamp stamp_of(const Seen& seen) { return {seen.entry.size, seen.entry.mtime_ns, seen.ctime_ns}; }

Seen look_at(int directory, const std::string& name, std::string_view path) {
  auto seen = seen_of(stat_of(from_here(directory), name.c_str(), AT_SYMLINK_NOFOLLOW, path), name);
  if (seen.entry.type == Type::kSymlink) {
    seen.entry.target.resize(kMaxTarget);
    const auto size = ::readlinkat(directory, name.c_str(), seen.entry.target.data(), kMaxTarget);
    if (size <= 0) throw FileError(size < 0 ? errno : ENOENT, "read link", path);
    seen.entry.target.resize(static_cast<std::size_t>(size));
  }
  const auto at = through_proc(directory, name);
  seen.entry.xattrs = read_xattrs(
      [&](char* to, std::size_t room) { return ::llistxattr(at.c_str(), to, room); },
      [&](const char* key, char* to, std::size_t room) { return ::lgetxattr(at.c_str(), key, to, room); }, path);
  return seen;
}

Seen look_at_open(int file, std::string name, std::string_view path) {
  auto seen = seen_of(stat_of(file, "", AT_EMPTY_PATH, path), std::move(name));
  seen.entry.xattrs =
      read_xattrs([&](char* to, std::size_t room) { return ::flistxattr(file, to, room); },
                  [&](const char* key, char* to, std::size_t room) { return ::fgetxattr(file, key, to, room); }, path);
  return seen;
}

void set_attributes(int file, const Entry& want, const Entry& is, std::string_view path, Lost& lost) {
  apply(
      {[&](uid_t uid, gid_t gid) { return ::fchown(file, uid, gid); },
       [&](mode_t mode) { return ::fchmod(file, mode); },
       [&](const timespec* times) { return ::futimens(file, times); },
       [&](const char* key, const std::string& value) { return ::fsetxattr(file, key, value.data(), value.size(), 0); },
       [&](const char* key) { return ::fremovexattr(file, key); }},
      want, is, path, lost);
}

void set_attributes_at(int directory, const Entry& want, const Entry& is, std::string_view path, Lost& lost) {
  const auto* name = want.name.c_str();
  const auto at = through_proc(directory, want.name);
  apply({[&](uid_t uid, gid_t gid) { return ::fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW); },
         [&](mode_t mode) { return ::fchmodat(directory, name, mode, AT_SYMLINK_NOFOLLOW); },
         [&](const timespec* times) { return ::utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW); },
         [&](const char* key, const std::string& value) {
           return ::lsetxattr(at.c_str(), key, value.data(), value.size(), 0);
         },
         [&](const char* key) { return ::lremovexattr(at.c_str(), key); }},
        want, is, path, lost);
}

}  // namespace mtc::volume
