#include "volume/source.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

#include "volume/file_error.hpp"
#include "volume/file_io.hpp"

namespace mtc::volume {
namespace {

constexpr int kAttempts = 3;
constexpr std::size_t kSpareRoom = 64 * 1024;  ///< of a message, for heads and names

/// A chunk of zeros, which need not travel.
Frame zeros(std::uint64_t offset, std::uint64_t size) {
  return {Kind::kChunk, std::move(Writer().u64(offset).u64(size).bytes())};
}

bool is_gone(int number) { return number == ENOENT || number == ELOOP || number == ENOTDIR; }

/// What an open file is now. Throws FileError(ENOENT) if it is no file any more.
void refresh(Seen& seen, int file, std::string_view path) {
  auto now = look_at_open(file, seen.entry.name, path);
  if (now.entry.type != Type::kFile) throw FileError(ENOENT, "read", path);
  seen = std::move(now);
}

}  // namespace

Source::Source(std::string root, bool hash, ReadPace* reads, Progress* progress)
    : tree_(std::move(root)), hash_(hash), reads_(reads), progress_(progress), scan_(tree_) {
  note_lost_and_found(tree_, report_);
  for (const auto& what : unkept_of(look_at_open(tree_.fd(), "", ""))) report_.lose(what, 1, "");
}

void note_lost_and_found(const Tree& tree, Report& report) {
  const auto directory = open_at(tree.fd(), kLostAndFound, O_RDONLY | O_DIRECTORY);
  if (!directory && (errno == ENOENT || errno == EACCES)) return;
  if (directory && list_names(directory.get(), kLostAndFound).empty()) return;
  report.lose("content of lost+found", 1, kLostAndFound);
}

Unit Source::look(Batch batch) {
  look_at(tree_, batch);
  Unit unit;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  const std::scoped_lock lock(mutex_);
  for (const auto& segment : batch.segments) {
    auto& links = unit.links.emplace_back(segment.found.size(), false);
    unit.lost.emplace_back(segment.found.size(), false);
    unit.digests.emplace_back(segment.found.size());
    report_.entries += segment.found.size();
    for (std::size_t e = 0; e < segment.found.size(); ++e) {
      const auto& seen = segment.found[e];
      for (const auto& what : unkept_of(seen)) report_.lose(what, 1, join_path(segment.path, seen.entry.name));
      if (seen.entry.type == Type::kFile) {
        ++files;
        bytes += seen.entry.size;
      }
      if (!seen.entry.shared) continue;
      auto path = join_path(segment.path, seen.entry.name);
      const auto [at, first] = firsts_.emplace(std::pair(seen.device, seen.inode), path);
      if (first) continue;
      links[e] = true;
      if (seen.entry.type == Type::kFile) {
        --files;
        bytes -= seen.entry.size;
      }
      links_.push_back({std::move(path), at->second});
    }
  }
  progress_->found(files, bytes);
  report_.vanished_count += batch.vanished.size();
  for (auto& problem : batch.vanished) note(report_.vanished, std::move(problem));
  report_.failed += batch.unreadable.size();
  for (auto& problem : batch.unreadable) note(report_.failures, std::move(problem));
  batch.vanished.clear();
  batch.unreadable.clear();
  unit.batch = std::move(batch);
  return unit;
}

void Source::count_read(std::uint64_t bytes) {
  if (reads_ != nullptr) reads_->count(bytes);
}

Task<void> Source::keep_pace() {
  if (reads_ != nullptr) co_await reads_->keep();
}

void Source::changed(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  ++report_.changed_count;
  note(report_.changed, Problem{path, "changed while it was read"});
}

void Source::unreadable(const std::string& path, const FileError& failure) {
  const std::scoped_lock lock(mutex_);
  if (is_gone(failure.number())) {
    ++report_.vanished_count;
    return note(report_.vanished, Problem{path, failure.what()});
  }
  ++report_.failed;
  note(report_.failures, Problem{path, failure.what()});
}

/// Reads one small file as it stands still, right behind its head; one that never does is sent as it was last, and
/// noted.
void Source::read_one(int directory, Unit& unit, const Wanted& wanted, Writer& into) {
  const auto [s, e] = wanted.where;
  auto& seen = unit.batch.segments[s].found[e];
  const auto path = join_path(unit.batch.segments[s].path, seen.entry.name);
  const auto start = into.bytes().size();
  const auto put_head = [&](Content content) {
    into.bytes().resize(start);
    encode(into, FileHead{wanted.where, content, seen.entry});
  };
  std::size_t moved = 0;
  try {
    const auto file = open_quietly(directory, seen.entry.name, path);
    std::string_view content;
    bool still = false;
    for (int attempt = 0; !still; ++attempt) {
      const auto before = stamp_of(seen);  // What changed since it was listed counts too.
      const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(before.size, kSmallFile));
      put_head(Content::kComplete);
      content = append_at(into.u32(size).bytes(), file.get(), 0, size, path);
      const auto after = stamp_of(file.get(), path);
      still = after == before && content.size() == before.size;
      if (!still && (attempt == kAttempts || after.size > kSmallFile)) break;
      if (!still) refresh(seen, file.get(), path);
    }
    if (hash_) unit.digests[s][e] = sha256(content);
    moved = content.size();
    count_read(moved);
    if (!still) {
      changed(path);
      seen.entry.size = moved;
      const std::string last(content);
      put_head(Content::kComplete);
      into.text(last);
    } else if (wanted.basis == Basis::kHash && wanted.hash == quick_hash(content)) {
      moved = 0;
      put_head(Content::kSame);
      into.text("");
    }
  } catch (const FileError& failure) {
    unreadable(path, failure);
    unit.lost[s][e] = true;
    moved = 0;
    put_head(Content::kGone);
    into.text("");
  }
  progress_->settle(1, seen.entry.size);
  if (moved > 0) progress_->move(moved);
}

void Source::count_kept(const Unit& unit, const std::vector<Wanted>& wanted) {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  for (std::size_t s = 0; s < unit.batch.segments.size(); ++s) {
    const auto& found = unit.batch.segments[s].found;
    for (std::size_t e = 0; e < found.size(); ++e) {
      if (found[e].entry.type != Type::kFile || unit.links[s][e]) continue;
      ++files;
      bytes += found[e].entry.size;
    }
  }
  for (const auto& each : wanted) bytes -= unit.batch.segments[each.where.segment].found[each.where.entry].entry.size;
  progress_->settle(files - wanted.size(), bytes);
}

Frame Source::read_small(Unit& unit, const std::vector<Wanted>& wanted, std::size_t& at, std::string buffer) {
  Writer into(std::move(buffer));
  into.bytes().reserve(kPack + kSmallFile + kSpareRoom);
  into.u64(unit.batch.number);
  std::optional<std::uint32_t> open;
  Fd directory;
  for (; at < wanted.size() && into.bytes().size() < kPack; ++at) {
    const auto& segment = unit.batch.segments[wanted[at].where.segment];
    if (segment.found[wanted[at].where.entry].entry.size > kSmallFile) break;
    if (open != wanted[at].where.segment) {
      directory = Fd();
      try {
        directory = tree_.open_directory(segment.path);
      } catch (const FileError&) {
        directory = Fd();  // Every file in it says so.
      }
      open = wanted[at].where.segment;
    }
    read_one(directory.get(), unit, wanted[at], into);
  }
  return {Kind::kFiles, std::move(into.bytes())};
}

/// The hash of a file that the receiver has already, as far as its size and time say.
std::string Source::hash_of(int directory, const Seen& seen, const std::string& path) {
  const auto file = open_quietly(directory, seen.entry.name, path);
  auto hash = content_hash(file.get(), seen.entry.size, path);
  count_read(seen.entry.size);
  if (stamp_of(file.get(), path) != stamp_of(seen)) changed(path);
  return hash;
}

void Source::record(Unit& unit) {
  if (!hash_) return;
  for (std::size_t s = 0; s < unit.batch.segments.size(); ++s) {
    const auto& segment = unit.batch.segments[s];
    Fd directory;
    for (std::size_t e = 0; e < segment.found.size(); ++e) {
      const auto& seen = segment.found[e];
      if (seen.entry.type != Type::kFile || unit.lost[s][e] || !unit.digests[s][e].empty()) continue;
      const auto path = join_path(segment.path, seen.entry.name);
      try {
        if (!directory) directory = tree_.open_directory(segment.path);
        unit.digests[s][e] = hash_of(directory.get(), seen, path);
      } catch (const FileError& failure) {
        unreadable(path, failure);
      }
    }
  }
  manifest_.add(unit.batch, unit.digests);
}

Entry Source::root_entry() const { return look_at_open(tree_.fd(), "", "").entry; }

LargeSource::LargeSource(Source& source, Unit& unit, Where where) : source_(source), unit_(unit), where_(where) {
  const auto& segment = unit.batch.segments[where.segment];
  seen_ = segment.found[where.entry];
  path_ = join_path(segment.path, seen_.entry.name);
  try {
    const auto directory = source.tree().open_directory(segment.path);
    auto file = open_quietly(directory.get(), seen_.entry.name, path_);
    if (stamp_of(file.get(), path_) != stamp_of(seen_)) refresh(seen_, file.get(), path_);
    before_ = stamp_of(seen_);
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    file_ = std::move(file);
  } catch (const FileError& failure) {
    give_up(failure);
  }
}

void LargeSource::give_up(const FileError& failure) {
  source_.unreadable(path_, failure);
  unit_.lost[where_.segment][where_.entry] = true;
  file_ = Fd();
}

/// Steps over a hole that begins here; its length, 0 if there is none.
std::uint64_t LargeSource::skip_hole() {
  if (!seen_.entry.sparse) return 0;
  const auto data = next_data(file_.get(), offset_, before_.size);
  const auto hole = data == before_.size ? data - offset_ : (data - offset_) / kChunk * kChunk;
  if (source_.hashes()) hash_.hole(hole);
  offset_ += hole;
  source_.progress().settle(0, hole);
  return hole;
}

LargeSource::Step LargeSource::next(std::string_view theirs, std::string& buffer) {
  if (!file_ || offset_ >= before_.size) return {std::nullopt, true};
  try {
    const auto at = offset_;
    if (const auto hole = skip_hole(); hole > 0) return {zeros(at, hole), false};
    Writer to(std::move(buffer));
    to.u64(at).u64(0);
    const auto data = append_at(to.bytes(), file_.get(), at, std::min<std::uint64_t>(kChunk, before_.size - at), path_);
    source_.count_read(data.size());
    if (data.empty()) return {std::nullopt, true};  // It became shorter.
    if (source_.hashes()) hash_.update(data);
    offset_ += data.size();
    source_.progress().settle(0, data.size());
    Step step{std::nullopt, data.size() < kChunk && offset_ % kChunk != 0};
    if (!theirs.empty() && theirs == quick_hash(data)) {
      buffer = std::move(to.bytes());
    } else if (seen_.entry.sparse && all_zero(data)) {
      step.frame = zeros(at, data.size());
    } else {
      source_.progress().move(data.size());
      step.frame = {Kind::kChunk, std::move(to.bytes())};
    }
    return step;
  } catch (const FileError& failure) {
    give_up(failure);
    return {std::nullopt, true};
  }
}

FileHead LargeSource::finish() {
  auto& entry = seen_.entry;
  entry.size = std::min(entry.size, offset_);
  source_.progress().settle(1, 0);
  FileHead head;
  head.where = where_;
  head.entry = entry;
  head.content = file_ ? Content::kComplete : Content::kGone;
  if (!file_) return head;
  unit_.batch.segments[where_.segment].found[where_.entry] = seen_;
  if (source_.hashes()) unit_.digests[where_.segment][where_.entry] = hash_.finish();
  try {
    if (stamp_of(file_.get(), path_) != before_ || offset_ != before_.size) source_.changed(path_);
  } catch (const FileError& failure) {
    source_.unreadable(path_, failure);
  }
  return head;
}

}  // namespace mtc::volume
