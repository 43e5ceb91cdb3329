#include "blob/folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <linux/openat2.h>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"

namespace mtc::blob {
namespace {

constexpr std::string_view kUnfinished = ".unfinished-";
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestKey = 1024;

[[noreturn]] void fail(std::string_view doing, int error) {
  const auto code = [&] {
    switch (error) {
      case EACCES:
      case EPERM:
      case EROFS:
      case ENOSPC:
      case EDQUOT: return Code::kForbidden;
      default: return Code::kUnavailable;
    }
  }();
  throw Error(code, fmt::format("{}: {}", doing, std::system_category().message(error)));
}

/// What openat2 and unlinkat say when there is no such object: absent, below a file, behind a link, too long a name.
bool means_absent(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EXDEV || error == ENAMETOOLONG;
}

/// Opens below `root` and nowhere else.
File open_below(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<__u64>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return File(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

std::string file_name(const std::string& segment) {
  if (segment.empty()) return "%";
  std::string name;
  for (const char c : segment) {
    if (c == '%') {
      name += "%25";
    } else {
      name += c;
    }
  }
  if (name.starts_with(kUnfinished)) name.replace(0, 1, "%2E");
  return name;
}

/// nullopt for files that are no objects.
std::optional<std::string> segment_of(std::string_view name) {
  if (name == "%") return "";
  auto segment = percent_decode(name);
  return segment && file_name(*segment) == name ? segment : std::nullopt;
}

std::vector<std::string> file_names(const std::string& key) {
  std::vector<std::string> names;
  for (const auto& segment : split(key, '/')) names.push_back(file_name(segment));
  return names;
}

std::string file_path(const std::string& key) { return join(file_names(key), "/"); }

ObjectInfo info_of(std::string key, const struct stat& status) {
  const auto modified = Time{} + std::chrono::seconds(status.st_mtim.tv_sec) +
                        std::chrono::duration_cast<Time::duration>(std::chrono::nanoseconds(status.st_mtim.tv_nsec));
  auto etag = fmt::format("{:x}-{:x}-{:x}", static_cast<std::uint64_t>(status.st_ino), status.st_mtim.tv_sec,
                          status.st_mtim.tv_nsec);
  return {std::move(key), static_cast<std::uint64_t>(status.st_size), std::move(etag), modified};
}

/// One entry of a directory, named as in keys.
struct Entry {
  std::string name;  ///< ends with '/' if it is a directory: then names sort as the keys do
  std::string file;
};

std::vector<Entry> entries_of(const File& directory) {
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> stream(::fdopendir(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0)), close);
  if (!stream) fail("list a folder", errno);
  std::vector<Entry> entries;
  while (const auto* entry = ::readdir(stream.get())) {
    const std::string_view file = entry->d_name;
    if (file == "." || file == "..") continue;
    struct stat status{};
    // What vanishes meanwhile was removed by somebody.
    if (::fstatat(directory.get(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    auto name = segment_of(file);
    if (!name || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))) continue;
    if (S_ISDIR(status.st_mode)) *name += '/';
    entries.push_back({std::move(*name), std::string(file)});
  }
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

class Walk {
 public:
  Walk(const std::function<bool(std::string_view)>& wants, const std::function<bool(const ObjectInfo&)>& offer)
      : wants_(wants), offer_(offer) {}

  /// False if it was stopped.
  bool below(int parent, const std::string& file, const std::string& prefix) {
    if (prefix.size() > kLongestKey) return true;
    const auto directory = open_below(parent, file, O_RDONLY | O_DIRECTORY);
    if (!directory && means_absent(errno)) return true;
    if (!directory) fail("list the folder of " + prefix, errno);
    return std::ranges::all_of(entries_of(directory),
                               [&](const Entry& entry) { return visit(directory.get(), entry, prefix + entry.name); });
  }

 private:
  bool visit(int directory, const Entry& entry, const std::string& key) {
    if (!wants_(key)) return true;
    if (entry.name.ends_with('/')) return below(directory, entry.file, key);
    struct stat status{};
    if (::fstatat(directory, entry.file.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return true;
    return offer_(info_of(key, status));
  }

  const std::function<bool(std::string_view)>& wants_;
  const std::function<bool(const ObjectInfo&)>& offer_;
};

/// Throws Error(kInvalid) for a key that has no path.
void demand_names(const std::string& key) {
  for (const auto& name : file_names(key)) {
    if (name.size() <= kLongestName) continue;
    throw Error(Code::kInvalid, fmt::format("object key \"{}…\": a folder holds no names longer than {} bytes",
                                            key.substr(0, 100), kLongestName));
  }
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Folder::Folder(std::string path) : path_(std::move(path)) {
  std::error_code failed;
  std::filesystem::create_directories(path_, failed);
  if (failed) fail("create the folder " + path_, failed.value());
  root_ = File(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_) fail("open the folder " + path_, errno);
}

std::pair<File, ObjectInfo> Folder::open(const std::string& key) const {
  // O_NONBLOCK: a fifo that somebody put here must not hold us up.
  auto file = open_below(root_.get(), file_path(key), O_RDONLY | O_NONBLOCK);
  if (!file && (means_absent(errno) || errno == ENXIO)) return {};  // ENXIO: a socket
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) fail(fmt::format("open {} in the folder {}", key, path_), errno);
  if (!S_ISREG(status.st_mode)) return {};
  return {std::move(file), info_of(key, status)};
}

void Folder::remove(const std::string& key) const {
  const auto path = file_path(key);
  const auto slash = path.rfind('/');
  const auto parent =
      open_below(root_.get(), slash == std::string::npos ? "." : path.substr(0, slash), O_RDONLY | O_DIRECTORY);
  const auto name = path.substr(slash + 1);  // npos + 1 is 0: the whole
  const bool removed = parent && ::unlinkat(parent.get(), name.c_str(), 0) == 0;
  if (!removed && errno != EISDIR && !means_absent(errno)) {
    fail(fmt::format("remove {} from the folder {}", key, path_), errno);
  }
  if (removed && slash != std::string::npos) prune(path.substr(0, slash));
}

/// Removes directories that hold nothing any more, as far up as that goes.
void Folder::prune(std::string path) const {
  for (;;) {
    const auto slash = path.rfind('/');
    const auto parent =
        open_below(root_.get(), slash == std::string::npos ? "." : path.substr(0, slash), O_RDONLY | O_DIRECTORY);
    if (!parent || ::unlinkat(parent.get(), path.substr(slash + 1).c_str(), AT_REMOVEDIR) != 0) return;
    if (slash == std::string::npos) return;
    path.resize(slash);
  }
}

void Folder::walk(const std::function<bool(std::string_view)>& wants,
                  const std::function<bool(const ObjectInfo&)>& offer) const {
  Walk(wants, offer).below(root_.get(), ".", "");
}

/// Makes the directories that lead to `key`; nullopt if one of them was pruned meanwhile.
std::optional<Folder::Place> Folder::place_of(const std::string& key) const {
  const auto doing = fmt::format("write {} in the folder {}", key, path_);
  auto names = file_names(key);
  Place place{File(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0)), std::move(names.back())};
  names.pop_back();
  for (const auto& name : names) {
    const bool made = ::mkdirat(place.folder.get(), name.c_str(), 0700) == 0;
    if (!made && errno == ENOENT) return std::nullopt;
    if (!made && errno != EEXIST) fail(doing, errno);
    auto next = open_below(place.folder.get(), name, O_RDONLY | O_DIRECTORY);
    if (!next && errno == ENOENT) return std::nullopt;
    if (!next && means_absent(errno)) {
      throw Error(Code::kConflict, fmt::format("{}: {} is no folder, so nothing can be below it", doing, name));
    }
    if (!next) fail(doing, errno);
    place.folder = std::move(next);
  }
  return place;
}

Folder::Unfinished Folder::begin(const std::string& key) const {
  demand_names(key);
  Unfinished unfinished{File(::openat(root_.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)), ""};
  if (!unfinished.file && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
    unfinished.temporary = fmt::format("{}{:016x}", kUnfinished, system_rng().next());
    unfinished.file = File(::openat(root_.get(), unfinished.temporary.c_str(),
                                    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  }
  if (!unfinished.file) fail(fmt::format("write {} in the folder {}", key, path_), errno);
  return unfinished;
}

ObjectInfo Folder::publish(Unfinished& unfinished, const std::string& key) const {
  const auto doing = fmt::format("publish {} in the folder {}", key, path_);
  struct stat status{};
  if (::fsync(unfinished.file.get()) != 0 || ::fstat(unfinished.file.get(), &status) != 0) fail(doing, errno);
  if (unfinished.temporary.empty()) {
    // A name that is taken cannot be given by linkat, so the file gets one of its own first.
    unfinished.temporary = fmt::format("{}{:016x}", kUnfinished, system_rng().next());
    const auto self = fmt::format("/proc/self/fd/{}", unfinished.file.get());
    if (::linkat(AT_FDCWD, self.c_str(), root_.get(), unfinished.temporary.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      fail(doing, errno);
    }
  }
  // A removal may prune the directory until the file is in it: then it is made again.
  constexpr int kMostAttempts = 100;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const auto place = place_of(key);
    if (!place) continue;
    if (::renameat(root_.get(), unfinished.temporary.c_str(), place->folder.get(), place->name.c_str()) == 0) {
      unfinished.temporary.clear();
      if (::fsync(place->folder.get()) != 0) fail(doing, errno);
      return info_of(key, status);
    }
    if (errno == EISDIR) throw Error(Code::kConflict, doing + ": there are objects below it");
    if (errno != ENOENT) fail(doing, errno);
  }
  throw Error(Code::kUnavailable, doing + ": its folder is removed again and again");
}

void Folder::discard(const Unfinished& unfinished) const noexcept {
  if (!unfinished.temporary.empty()) ::unlinkat(root_.get(), unfinished.temporary.c_str(), 0);
}

}  // namespace mtc::blob
