#include "volume/tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "volume/entry.hpp"
#include "volume/file_error.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kPathPiece = 4000;  // below PATH_MAX; longer paths are walked in pieces

dev_t device_of(int file) {
  struct stat found{};
  return ::fstat(file, &found) == 0 ? found.st_dev : 0;
}

/// What openat2 does in one call, component by component, for kernels before 5.6 and for sandboxes that do not know the
/// call. No component may be a link, ".." or of another file system, so nothing that changes meanwhile leads outside.
Fd open_by_steps(int from, std::string_view path, int flags) {
  const auto device = device_of(from);
  Fd at;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string name(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name == "..") {
      errno = EXDEV;
      return {};
    }
    at = Fd(::openat(at ? at.get() : from, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (!at) return at;
    if (device_of(at.get()) != device) {
      errno = EXDEV;
      return {};
    }
  }
  return at;
}

Fd open_beneath(int from, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  long made = -1;
  do {  // EAGAIN: a rename elsewhere in the tree while it was walked.
    made = ::syscall(SYS_openat2, from, path, &how, sizeof how);
  } while (made < 0 && (errno == EAGAIN || errno == EINTR));
  if (made < 0 && (errno == ENOSYS || errno == EPERM)) return open_by_steps(from, path, flags);
  return Fd(static_cast<int>(made));
}

/// The first components of `path`, as many as fit in one call; cuts them off.
std::string next_piece(std::string_view& path) {
  auto end = path.size();
  if (end > kPathPiece) end = path.rfind('/', kPathPiece);
  std::string piece(path.substr(0, end));
  path.remove_prefix(std::min(path.size(), end + 1));
  return piece;
}

/// A directory that its owner may not write to is opened up for the time of the run (root needs none of this).
void make_writable(const Fd& directory) {
  struct stat now{};
  if (::geteuid() == 0 || ::fstat(directory.get(), &now) != 0 || (now.st_mode & 0700U) == 0700U) return;
  ::fchmod(directory.get(), (now.st_mode & 07777U) | 0700U);
}

Fd make_one(int parent, const std::string& name, std::string_view path) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (auto made = open_beneath(parent, name.c_str(), O_RDONLY | O_DIRECTORY)) return made;
    if (errno == ENOTDIR || errno == ELOOP) {
      if (::unlinkat(parent, name.c_str(), 0) != 0 && errno != ENOENT) throw FileError(errno, "remove", path);
    } else if (errno == EACCES && ::fchmodat(parent, name.c_str(), 0700, AT_SYMLINK_NOFOLLOW) == 0) {
      continue;
    } else if (errno != ENOENT) {
      throw FileError(errno, "open directory", path);
    }
    if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) throw FileError(errno, "make directory", path);
  }
  throw FileError(errno, "make directory", path);
}

}  // namespace

Fd::~Fd() {
  if (number_ >= 0) ::close(number_);
}

Tree::Tree(std::string root) : root_(std::move(root)) {
  fd_ = Fd(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd_) throw FileError(errno, "open directory", root_);
}

Fd Tree::open_directory(std::string_view path) const {
  if (path.empty()) return open_beneath(fd_.get(), ".", O_RDONLY | O_DIRECTORY);
  Fd at;
  for (auto rest = path; !rest.empty();) {
    const auto piece = next_piece(rest);
    at = open_beneath(at ? at.get() : fd_.get(), piece.c_str(), O_RDONLY | O_DIRECTORY);
    if (!at) throw FileError(errno, "open directory", path);
  }
  return at;
}

Fd Tree::make_directory(std::string_view path) const {
  if (path.size() <= kPathPiece) {
    const std::string whole(path.empty() ? "." : path);
    if (auto there = open_beneath(fd_.get(), whole.c_str(), O_RDONLY | O_DIRECTORY)) {
      make_writable(there);
      return there;
    }
  }
  Fd at;
  for (auto rest = path; !rest.empty();) {
    const auto slash = rest.find('/');
    at = make_one(at ? at.get() : fd_.get(), std::string(rest.substr(0, slash)), path);
    make_writable(at);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  return at;
}

Fd open_at(int directory, const char* name, int flags) {
  return Fd(::openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
}

std::vector<Name> list_names(int directory, std::string_view path) {
  std::vector<Name> names;
  alignas(8) std::array<char, 64UZ * 1024> buffer{};
  if (::lseek(directory, 0, SEEK_SET) < 0) throw FileError(errno, "list", path);
  for (;;) {
    const auto size = ::syscall(SYS_getdents64, directory, buffer.data(), buffer.size());
    if (size < 0) throw FileError(errno, "list", path);
    if (size == 0) break;
    for (long at = 0; at < size;) {
      struct Record {
        std::uint64_t inode;
        std::int64_t offset;
        std::uint16_t length;
        unsigned char kind;
      };
      Record record{};
      std::memcpy(&record, &buffer[static_cast<std::size_t>(at)], sizeof record);
      const char* name = &buffer[static_cast<std::size_t>(at) + 19];
      at += record.length;
      if (std::strcmp(name, ".") != 0 && std::strcmp(name, "..") != 0) names.push_back({name, record.kind});
    }
  }
  std::ranges::sort(names, {}, &Name::name);
  return names;
}

std::size_t remove_all(int directory, const std::string& name, std::string_view path) {
  if (::unlinkat(directory, name.c_str(), 0) == 0) return 1;
  if (errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) throw FileError(errno, "remove", path);
  std::size_t gone = 0;
  {
    const auto inner = open_beneath(directory, name.c_str(), O_RDONLY | O_DIRECTORY);
    if (!inner) throw FileError(errno, "remove", path);
    make_writable(inner);
    for (const auto& child : list_names(inner.get(), path)) {
      gone += remove_all(inner.get(), child.name, join_path(path, child.name));
    }
  }
  if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) throw FileError(errno, "remove", path);
  return gone + 1;
}

}  // namespace mtc::volume
