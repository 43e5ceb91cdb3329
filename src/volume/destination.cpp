#include "volume/destination.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encoding.hpp"
#include "volume/file_error.hpp"
#include "volume/file_io.hpp"
#include "volume/room.hpp"

namespace mtc::volume {
namespace {

constexpr std::string_view kPartPrefix = ".mtc-part-";
constexpr std::size_t kListings = 2;
/// What is larger is sent anew: the hashes of a whole basis travel ahead of its chunks.
constexpr std::uint64_t kLargestBasis = 4ULL << 40U;

std::string made(std::string root) {
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) throw FileError(errno, "make directory", root);
  return root;
}

bool same_attributes(const Entry& a, const Entry& b) {
  return a.mode == b.mode && a.uid == b.uid && a.gid == b.gid && a.mtime_ns == b.mtime_ns && a.xattrs == b.xattrs;
}

/// Makes a link, fifo, socket or device.
int make_special(int directory, const char* name, const Entry& entry) {
  if (entry.type == Type::kSymlink) return ::symlinkat(entry.target.c_str(), directory, name);
  mode_t kind = S_IFIFO;
  if (entry.type == Type::kSocket) kind = S_IFSOCK;
  if (entry.type == Type::kCharDevice) kind = S_IFCHR;
  if (entry.type == Type::kBlockDevice) kind = S_IFBLK;
  return ::mknodat(directory, name, kind | 0600U, entry.rdev);
}

std::pair<std::string_view, std::string_view> split(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

std::string part_name(std::string_view name) { return std::string(kPartPrefix) + hex(quick_hash(name)); }
bool is_part_name(std::string_view name) {
  return name.starts_with(kPartPrefix) && name.size() == kPartPrefix.size() + 32;
}

Destination::Destination(std::string root, Wishes wishes, Progress* progress)
    : wishes_(wishes), progress_(progress), tree_(made(std::move(root))) {}

void Destination::failed(const std::string& path, const FileError& failure) {
  if (failure.ends_the_run()) throw with_room(failure, tree_.fd());
  const std::scoped_lock lock(mutex_);
  ++report_.failed;
  note(report_.failures, Problem{path, failure.what()});
}

void Destination::not_kept(const std::string& path, const Lost& lost) {
  if (lost.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (const auto& what : lost) report_.lose(what, 1, path);
}

void Destination::count_skipped(const Entry& entry) {
  progress_->settle(1, entry.size);
  const std::scoped_lock lock(mutex_);
  ++report_.skipped;
}

std::vector<Wanted> Destination::prepare(const Listed& listed) {
  std::vector<Wanted> wanted;
  for (std::uint32_t s = 0; s < listed.batch.segments.size(); ++s) {
    const auto& found = listed.batch.segments[s].found;
    for (std::size_t e = 0; e < found.size(); ++e) {
      if (found[e].entry.type == Type::kFile && !listed.links[s][e]) progress_->found(1, found[e].entry.size);
    }
    try {
      prepare_segment(listed, s, wanted);
    } catch (const FileError& failure) {
      failed(listed.batch.segments[s].path, failure);
    }
  }
  return wanted;
}

/// The sorted names of a directory; of one that comes in parts they are kept, or each part would list it again.
Destination::Names Destination::names_of(const Segment& segment, int directory) {
  if (segment.after.empty() && segment.last) {
    return std::make_shared<const std::vector<Name>>(list_names(directory, segment.path));
  }
  const std::scoped_lock lock(mutex_);  // One listing at a time: they are what takes memory.
  if (const auto found = listings_.find(segment.path); found != listings_.end()) return found->second;
  while (listings_.size() >= kListings) listings_.erase(listings_.begin());
  auto names = std::make_shared<const std::vector<Name>>(list_names(directory, segment.path));
  listings_.emplace(segment.path, names);
  return names;
}

void Destination::prepare_segment(const Listed& listed, std::uint32_t index, std::vector<Wanted>& wanted) {
  const auto& segment = listed.batch.segments[index];
  const auto directory = tree_.make_directory(segment.path);
  const WorkingDirectory here(directory.get());
  const auto names = names_of(segment, directory.get());
  const auto has = [&](std::string_view name) { return std::ranges::binary_search(*names, name, {}, &Name::name); };
  auto at = std::ranges::upper_bound(*names, segment.after, {}, &Name::name);
  for (std::uint32_t e = 0; e < segment.found.size(); ++e) {
    const auto& entry = segment.found[e].entry;
    while (at != names->end() && at->name < entry.name) extra(directory.get(), segment, (at++)->name);
    const bool exists = at != names->end() && at->name == entry.name;
    if (exists) ++at;
    if (listed.links[index][e]) continue;
    try {
      const bool part = !exists && entry.size > kSmallFile && has(part_name(entry.name));
      if (auto want = place(directory.get(), segment, entry, exists, part)) {
        want->where = {index, e};
        wanted.push_back(std::move(*want));
      }
    } catch (const FileError& failure) {
      failed(join_path(segment.path, entry.name), failure);
    }
  }
  while (segment.last && at != names->end()) extra(directory.get(), segment, (at++)->name);
}

void Destination::extra(int directory, const Segment& segment, const std::string& name) {
  if (segment.path.empty() && name == kLostAndFound) return;
  if (is_part_name(name)) {  // Perhaps somebody writes it right now.
    const std::scoped_lock lock(mutex_);
    leftovers_.push_back({segment.path, name});
    return;
  }
  if (!wishes_.remove_extras) return;
  const auto path = join_path(segment.path, name);
  try {
    const auto gone = remove_all(directory, name, path);
    const std::scoped_lock lock(mutex_);
    report_.deleted += gone;
  } catch (const FileError& failure) {
    failed(path, failure);
  }
}

/// Removes what cannot be replaced by a rename. True if it went.
bool Destination::make_way(int directory, const std::string& path, const Entry& entry, const Seen& is) {
  const bool directory_now = is.entry.type == Type::kDirectory;
  if (is.entry.type == entry.type || (!directory_now && entry.type != Type::kDirectory)) return false;
  remove_all(directory, entry.name, path);
  return true;
}

std::optional<Wanted> Destination::place(int directory, const Segment& segment, const Entry& entry, bool exists,
                                         bool part) {
  const auto path = join_path(segment.path, entry.name);
  std::optional<Seen> is;
  if (exists) {
    is = look_at(directory, entry.name, path);
    if (make_way(directory, path, entry, *is)) is.reset();
  }
  const auto* seen = is ? &*is : nullptr;
  if (entry.type == Type::kFile) return place_file(directory, path, entry, seen, part);
  if (entry.type == Type::kDirectory) {
    if (seen == nullptr && ::mkdirat(directory, entry.name.c_str(), 0700) != 0 && errno != EEXIST) {
      throw FileError(errno, "make directory", path);
    }
    const auto depth = static_cast<std::uint64_t>(std::ranges::count(path, '/'));
    Writer record;
    encode(record.text(path), entry);
    directories_.put(UINT64_MAX - depth, record.bytes());
    return std::nullopt;
  }
  place_other(directory, path, entry, seen);
  return std::nullopt;
}

/// Whether the file under this name may be kept and written in place: it has no other name that means another file.
bool Destination::owns(const Seen& is, const Entry& entry, const std::string& path) {
  if (is.links == 1) return true;
  if (!entry.shared) return false;
  const std::scoped_lock lock(mutex_);
  return owners_.emplace(is.inode, path).first->second == path;
}

std::optional<Wanted> Destination::place_file(int directory, const std::string& path, const Entry& entry,
                                              const Seen* is, bool part) {
  Wanted want;
  if (is == nullptr) {
    want.basis = part ? Basis::kChunks : Basis::kNone;
    return want;
  }
  if (is->entry.type != Type::kFile || !owns(*is, entry, path)) return want;
  const bool same_size = is->entry.size == entry.size;
  if (same_size && is->entry.mtime_ns == entry.mtime_ns && !wishes_.by_hash) {
    if (!same_attributes(is->entry, entry)) {
      Lost lost;
      set_attributes_at(directory, entry, is->entry, path, lost);
      not_kept(path, lost);
    }
    count_skipped(entry);
    return std::nullopt;
  }
  if (entry.size > kSmallFile) {
    const bool compares = is->entry.size > 0 && is->entry.size <= kLargestBasis;
    want.basis = compares ? Basis::kChunks : Basis::kNone;
  } else if (wishes_.by_hash && same_size) {
    const auto file = open_at(directory, entry.name.c_str(), O_RDONLY);
    if (!file) throw FileError(errno, "open", path);
    want.basis = Basis::kHash;
    want.hash = quick_hash(read_at(file.get(), 0, entry.size, path));
  }
  return want;
}

void Destination::place_other(int directory, const std::string& path, const Entry& entry, const Seen* is) {
  Lost lost;
  const bool same = is != nullptr && is->entry.type == entry.type && is->entry.target == entry.target &&
                    is->entry.rdev == entry.rdev && owns(*is, entry, path);
  if (same) {
    if (!same_attributes(is->entry, entry)) set_attributes_at(directory, entry, is->entry, path, lost);
    return not_kept(path, lost);
  }
  auto fresh = entry;
  if (is != nullptr) fresh.name = part_name(entry.name);
  if (::unlinkat(directory, fresh.name.c_str(), 0) != 0 && errno != ENOENT) throw FileError(errno, "replace", path);
  if (make_special(directory, fresh.name.c_str(), entry) != 0) {
    if (errno != EPERM) throw FileError(errno, "make", path);
    return not_kept(path, {"device"});
  }
  set_attributes_at(directory, fresh, look_at(directory, fresh.name, path).entry, path, lost);
  if (is != nullptr && ::renameat(directory, fresh.name.c_str(), directory, entry.name.c_str()) != 0) {
    throw FileError(errno, "replace", path);
  }
  not_kept(path, lost);
}

void Destination::store(const Listed& listed, std::string_view files) {
  Reader from(files);
  OpenDirectory in;
  while (!from.done()) {
    const auto head = decode_file_head(from);
    const auto content = from.text(kSmallFile);
    const auto& segments = listed.batch.segments;
    if (head.where.segment >= segments.size() || head.where.entry >= segments[head.where.segment].found.size()) {
      throw Error(Code::kCorrupt, "content of an entry that was not listed");
    }
    const auto& segment = segments[head.where.segment];
    const auto& name = segment.found[head.where.entry].entry.name;
    if (head.entry.name != name || head.entry.type != Type::kFile) {
      throw Error(Code::kCorrupt, "content of another entry than listed");
    }
    const auto path = join_path(segment.path, name);
    try {
      if (in.segment != head.where.segment) in = {tree_.open_directory(segment.path), head.where.segment, {}};
      store_one(in, path, head, content);
    } catch (const FileError& failure) {
      failed(path, failure);
    }
  }
}

void Destination::store_one(OpenDirectory& in, const std::string& path, const FileHead& head,
                            std::string_view content) {
  if (head.content == Content::kGone) return;
  if (head.content == Content::kSame) {
    Lost lost;
    set_attributes_at(in.fd.get(), head.entry, look_at(in.fd.get(), head.entry.name, path).entry, path, lost);
    not_kept(path, lost);
    return count_skipped(head.entry);
  }
  write_small(in, path, head.entry, content);
  progress_->settle(1, content.size());
  progress_->move(content.size());
  const std::scoped_lock lock(mutex_);
  ++report_.files;
  report_.bytes += content.size();
}

/// A name that was not there gets its file at once (its time, set last, tells a later run if it is complete); a file
/// that is replaced stays until the new one is.
void Destination::write_small(OpenDirectory& in, const std::string& path, const Entry& entry,
                              std::string_view content) {
  const int directory = in.fd.get();
  const auto mode = entry.mode & 0777U;
  std::string part;
  Fd file(::openat(directory, entry.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file && errno == EEXIST) {
    part = part_name(entry.name);
    if (::unlinkat(directory, part.c_str(), 0) != 0 && errno != ENOENT) throw FileError(errno, "replace", path);
    file = Fd(::openat(directory, part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  }
  if (!file) throw FileError(errno, "create", path);
  write_at(file.get(), 0, content, entry.sparse, path);
  // One new file is as the next: what it is need not be asked each time. But the time, which is set in any case.
  auto fresh = in.fresh.find(mode);
  if (fresh == in.fresh.end()) fresh = in.fresh.emplace(mode, look_at_open(file.get(), "", path).entry).first;
  fresh->second.mtime_ns = ~entry.mtime_ns;
  Lost lost;
  set_attributes(file.get(), entry, fresh->second, path, lost);
  if (!part.empty() && ::renameat(directory, part.c_str(), directory, entry.name.c_str()) != 0) {
    throw FileError(errno, "replace", path);
  }
  not_kept(path, lost);
}

std::unique_ptr<LargeFile> Destination::open_large(const Segment& segment, const Entry& entry) {
  return std::make_unique<LargeFile>(*this, segment, entry);
}

void Destination::link(const std::vector<Link>& links) {
  for (const auto& each : links) {
    try {
      link_one(each);
    } catch (const FileError& failure) {
      failed(each.path, failure);
    }
  }
}

void Destination::link_one(const Link& link) {
  const auto [first_directory, first_name] = split(link.first);
  const auto [directory_path, name_view] = split(link.path);
  const std::string first(first_name);
  const std::string name(name_view);
  const auto from = tree_.open_directory(first_directory);
  const auto to = tree_.open_directory(directory_path);
  struct stat wanted{};
  struct stat now{};
  if (::fstatat(from.get(), first.c_str(), &wanted, AT_SYMLINK_NOFOLLOW) != 0) {
    throw FileError(errno, "look at", link.first);
  }
  if (::fstatat(to.get(), name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0) {
    if (now.st_ino == wanted.st_ino && now.st_dev == wanted.st_dev) return;
    if (S_ISDIR(now.st_mode)) remove_all(to.get(), name, link.path);
  }
  const auto part = part_name(name);
  if (::unlinkat(to.get(), part.c_str(), 0) != 0 && errno != ENOENT) throw FileError(errno, "replace", link.path);
  if (::linkat(from.get(), first.c_str(), to.get(), part.c_str(), 0) != 0) throw FileError(errno, "link", link.path);
  if (::renameat(to.get(), part.c_str(), to.get(), name.c_str()) != 0) throw FileError(errno, "link", link.path);
}

void Destination::finish_directory(std::string_view path, const Entry& entry) {
  try {
    const auto directory = tree_.open_directory(path);
    Lost lost;
    set_attributes(directory.get(), entry, look_at_open(directory.get(), entry.name, path).entry, path, lost);
    not_kept(std::string(path), lost);
  } catch (const FileError& failure) {
    failed(std::string(path), failure);
  }
}

Report Destination::finish(const Entry& root) {
  for (const auto& [path, name] : leftovers_) {
    const auto directory = tree_.open_directory(path);
    if (::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      failed(join_path(path, name), FileError(errno, "remove", join_path(path, name)));
    }
  }
  directories_.sort();
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    const auto record = directories_.get(i);
    Reader from(record);
    const auto path = from.text(kMaxPath);
    finish_directory(path, decode_entry(from));
  }
  finish_directory("", root);
  if (::syncfs(tree_.fd()) != 0) throw with_room(FileError(errno, "bring to the disk", tree_.root()), tree_.fd());
  return report_;
}

}  // namespace mtc::volume
