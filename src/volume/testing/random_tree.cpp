#include "volume/testing/random_tree.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "base/hash.hpp"

namespace mtc::volume::testing {
namespace {

bool is_root() { return ::geteuid() == 0; }

void set_time(int directory, const char* name, Rng& rng) {
  std::array<timespec, 2> times{};
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_sec = static_cast<time_t>(rng.below(2'000'000'000)) - 100'000'000;
  times[1].tv_nsec = static_cast<long>(rng.below(1'000'000'000));
  ::utimensat(directory, name, times.data(), AT_SYMLINK_NOFOLLOW);
}

/// Any bytes but NUL and '/'.
std::string odd_name(Rng& rng) {
  static const std::array<std::string, 6> kinds{"plain", "with space", "new\nline", "\xff\xfe not utf-8",
                                                "-rf *", "\xc3\xa4"};
  return kinds.at(rng.below(kinds.size())) + std::to_string(rng.below(100'000));
}

void decorate(int directory, const std::string& name, Rng& rng, bool link) {
  const auto proc = fmt::format("/proc/self/fd/{}/{}", directory, name);
  if (is_root() && rng.below(3) == 0) {
    ::fchownat(directory, name.c_str(), static_cast<uid_t>(rng.below(70'000)), static_cast<gid_t>(rng.below(70'000)),
               AT_SYMLINK_NOFOLLOW);
  }
  if (!link) {
    if (rng.below(3) == 0) ::lsetxattr(proc.c_str(), "user.mtc", "a\0b", 3, 0);
    static const std::array<mode_t, 6> modes{0644, 0600, 0755, 04755, 02711, 0};
    ::fchmodat(directory, name.c_str(), modes.at(rng.below(modes.size())), 0);
    if (is_root() && rng.below(6) == 0) {
      vfs_cap_data capability{};
      capability.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
      capability.data[0].permitted = 1U << static_cast<unsigned>(CAP_NET_BIND_SERVICE);
      ::lsetxattr(proc.c_str(), "security.capability", &capability, XATTR_CAPS_SZ_2, 0);
    }
  }
  set_time(directory, name.c_str(), rng);
}

void make_file(int directory, const std::string& name, Rng& rng) {
  const int file = ::openat(directory, name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return;
  const auto kind = rng.below(12);
  auto size = kind == 0 ? 0 : rng.below(20'000);
  if (kind == 1) size = (1 << 20) + rng.below(3 << 20);
  if (kind == 2) size = 256UL * 1024;
  if (kind == 3) {  // holes at both ends
    ::pwrite(file, "island", 6, static_cast<off_t>(rng.below(5 << 20)));
    ::ftruncate(file, 6 << 20);
  } else {
    const auto bytes = random_bytes(rng, size);
    ::write(file, bytes.data(), bytes.size());
  }
  ::close(file);
  decorate(directory, name, rng, false);
}

void make_other(int directory, const std::string& name, Rng& rng) {
  switch (rng.below(is_root() ? 5 : 3)) {
    case 0:
      ::symlinkat(fmt::format("../{}", odd_name(rng)).c_str(), directory, name.c_str());
      return decorate(directory, name, rng, true);
    case 1: ::mkfifoat(directory, name.c_str(), 0600); break;
    case 2: ::mknodat(directory, name.c_str(), S_IFSOCK | 0600, 0); break;
    case 3: ::mknodat(directory, name.c_str(), S_IFCHR | 0600, 0x0103); break;
    default: ::mknodat(directory, name.c_str(), S_IFBLK | 0600, 0x0700); break;
  }
  set_time(directory, name.c_str(), rng);
}

std::string attributes_of(const std::string& proc) {
  std::array<char, 4096> names{};
  const auto size = ::llistxattr(proc.c_str(), names.data(), names.size());
  std::map<std::string, std::string> found;
  for (ssize_t at = 0; at < size;) {
    const std::string name = &names[static_cast<std::size_t>(at)];
    std::array<char, 4096> value{};
    const auto got = ::lgetxattr(proc.c_str(), name.c_str(), value.data(), value.size());
    if (name != "security.selinux" && got >= 0) found[name] = std::string(value.data(), static_cast<std::size_t>(got));
    at += static_cast<ssize_t>(name.size()) + 1;
  }
  std::string out;
  for (const auto& [name, value] : found) out.append(" ").append(name).append("=").append(value);
  return out;
}

std::string content_of(int directory, const char* name) {
  const int file = ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return "unreadable";
  std::string all;
  std::array<char, 65536> piece{};
  for (ssize_t got = 0; (got = ::read(file, piece.data(), piece.size())) > 0;) {
    all.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(file);
  return sha256(all);
}

void walk(int directory, const std::string& path, std::map<ino_t, std::string>& firsts,
          std::map<std::string, std::string>& into) {
  std::map<std::string, struct stat> found;
  DIR* stream = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (stream == nullptr) return;
  while (const auto* each = ::readdir(stream)) {
    const std::string name = each->d_name;
    if (name == "." || name == "..") continue;
    ::fstatat(directory, name.c_str(), &found[name], AT_SYMLINK_NOFOLLOW);
  }
  ::closedir(stream);
  for (const auto& [name, is] : found) {
    auto here = path;
    here.append("/").append(name);
    auto text =
        fmt::format("{:o} {}:{} {}.{:09}", is.st_mode, is.st_uid, is.st_gid, is.st_mtim.tv_sec, is.st_mtim.tv_nsec);
    text += attributes_of(fmt::format("/proc/self/fd/{}/{}", directory, name));
    if (S_ISREG(is.st_mode)) text += fmt::format(" {} ", is.st_size) + content_of(directory, name.c_str());
    if (S_ISCHR(is.st_mode) || S_ISBLK(is.st_mode)) text += fmt::format(" {:x}", is.st_rdev);
    std::array<char, 4096> target{};
    if (S_ISLNK(is.st_mode) && ::readlinkat(directory, name.c_str(), target.data(), target.size() - 1) > 0) {
      text += fmt::format(" -> {}", target.data());
    }
    if (!S_ISDIR(is.st_mode) && is.st_nlink > 1) text += " is " + firsts.emplace(is.st_ino, here).first->second;
    into[here] = text;
    if (S_ISDIR(is.st_mode)) {
      const int inner = ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      walk(inner, here, firsts, into);
      ::close(inner);
    }
  }
}

void remove_tree(int directory, const char* name) {
  if (::unlinkat(directory, name, 0) == 0 || errno == ENOENT) return;
  ::fchmodat(directory, name, 0700, 0);
  const int inner = ::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR* stream = ::fdopendir(inner);
  if (stream == nullptr) return;
  std::vector<std::string> names;
  while (const auto* each = ::readdir(stream)) {
    if (std::strcmp(each->d_name, ".") != 0 && std::strcmp(each->d_name, "..") != 0) names.emplace_back(each->d_name);
  }
  for (const auto& each : names) remove_tree(inner, each.c_str());
  ::closedir(stream);
  ::unlinkat(directory, name, AT_REMOVEDIR);
}

}  // namespace

Folder::Folder() {
  auto pattern = std::filesystem::temp_directory_path().string() + "/mtc-volume-XXXXXX";
  path_ = ::mkdtemp(pattern.data());
}

Folder::~Folder() { remove_tree(AT_FDCWD, path_.c_str()); }

std::string random_bytes(Rng& rng, std::size_t size) {
  std::string out;
  out.reserve(size + 8);
  while (out.size() < size) {
    const auto word = rng.next();
    out.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  out.resize(size);
  return out;
}

bool set_age(const std::string& path, std::int64_t seconds) {
  const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, timespec{seconds, 0}};
  struct stat is{};
  return ::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0 && ::stat(path.c_str(), &is) == 0 &&
         is.st_mtim.tv_sec == seconds;
}

void write_file(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

void make_random_tree(const std::string& root, Rng& rng, unsigned directories) {
  ::mkdir(root.c_str(), 0755);
  std::vector<int> open{::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  std::vector<std::pair<int, std::string>> files;
  for (unsigned d = 0; d < directories; ++d) {
    const int parent = open.at(rng.below(open.size()));
    const auto name = odd_name(rng);
    ::mkdirat(parent, name.c_str(), 0700);
    open.push_back(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (auto n = rng.below(12); n > 0; --n) {
      const auto at = open.at(rng.below(open.size()));
      const auto file = odd_name(rng);
      const auto choice = rng.below(6);
      if (choice == 0) {
        make_other(at, file, rng);
      } else if (choice == 1 && !files.empty()) {
        const auto& [from, first] = files.at(rng.below(files.size()));
        ::linkat(from, first.c_str(), at, file.c_str(), 0);
      } else {
        make_file(at, file, rng);
        files.emplace_back(at, file);
      }
    }
  }
  int deep = ::openat(open.front(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int level = 0; level < 30; ++level) {  // beyond PATH_MAX
    const std::string name(200, static_cast<char>('a' + (level % 26)));
    ::mkdirat(deep, name.c_str(), 0755);
    const int next = ::openat(deep, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(deep);
    deep = next;
  }
  make_file(deep, "treasure", rng);
  ::close(deep);
  for (auto at = open.rbegin(); at != open.rend(); ++at) {
    static const std::array<mode_t, 5> modes{0755, 0700, 0500, 02775, 01777};
    ::fchmod(*at, modes.at(rng.below(modes.size())));
    set_time(*at, ".", rng);
    ::close(*at);
  }
}

std::map<std::string, std::string> describe(const std::string& root) {
  std::map<std::string, std::string> into;
  std::map<ino_t, std::string> firsts;
  const int directory = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat is{};
  ::fstat(directory, &is);
  into["/"] =
      fmt::format("{:o} {}:{} {}.{:09}", is.st_mode, is.st_uid, is.st_gid, is.st_mtim.tv_sec, is.st_mtim.tv_nsec);
  walk(directory, "", firsts, into);
  ::close(directory);
  return into;
}

}  // namespace mtc::volume::testing
