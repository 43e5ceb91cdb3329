#include "volume/source.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

#include "volume/file_error.hpp"
#include "volume/file_io.hpp"

namespace mtc::volume {
namespace {

constexpr int kAttempts = 3;

bool is_gone(int number) { return number == ENOENT || number == ELOOP || number == ENOTDIR; }

/// The entry as it is now, if it is not what was listed. Throws FileError(ENOENT) if it is no file any more.
void refresh(Entry& entry, const Stamp& now, int file, std::string_view path) {
  if (now.size == entry.size && now.mtime_ns == entry.mtime_ns) return;
  auto seen = look_at_open(file, entry.name, path);
  if (seen.entry.type != Type::kFile) throw FileError(ENOENT, "read", path);
  entry = std::move(seen.entry);
}

}  // namespace

Stamp stamp_of(int file, std::string_view path) {
  struct stat now{};
  if (::fstat(file, &now) != 0) throw FileError(errno, "look at", path);
  const auto ns = [](const timespec& time) { return (time.tv_sec * 1'000'000'000) + time.tv_nsec; };
  return {static_cast<std::uint64_t>(now.st_size), ns(now.st_mtim), ns(now.st_ctim)};
}

Source::Source(std::string root, bool hash, Progress* progress)
    : tree_(std::move(root)), hash_(hash), progress_(progress), scan_(tree_) {
  note_lost_and_found(tree_, report_);
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

/// Reads one small file as it stands still; one that never does is sent as it was last, and noted.
void Source::read_one(int directory, Unit& unit, const Wanted& wanted, Writer& into) {
  const auto [s, e] = wanted.where;
  auto& segment = unit.batch.segments[s];
  auto& entry = segment.found[e].entry;
  const auto path = join_path(segment.path, entry.name);
  FileHead head;
  head.where = wanted.where;
  std::string content;
  try {
    const auto file = open_quietly(directory, entry.name, path);
    for (int attempt = 1;; ++attempt) {
      const auto before = stamp_of(file.get(), path);
      refresh(entry, before, file.get(), path);
      content = read_at(file.get(), 0, std::min<std::uint64_t>(before.size, kSmallFile), path);
      if (before.size <= kSmallFile && content.size() == before.size && stamp_of(file.get(), path) == before) break;
      if (attempt == kAttempts || before.size > kSmallFile) {
        changed(path);
        entry.size = content.size();
        break;
      }
    }
    if (hash_) unit.digests[s][e] = sha256(content);
    if (wanted.basis == Basis::kHash && wanted.hash == quick_hash(content)) {
      head.content = Content::kSame;
      content.clear();
    }
  } catch (const FileError& failure) {
    unreadable(path, failure);
    unit.lost[s][e] = true;
    head.content = Content::kGone;
    content.clear();
  }
  head.entry = entry;
  encode(into, head);
  into.text(content);
  progress_->settle(1, entry.size);
  if (head.content == Content::kComplete) progress_->move(content.size());
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

Frame Source::read_small(Unit& unit, const std::vector<Wanted>& wanted, std::size_t& at) {
  Writer into;
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
std::string Source::hash_of(int directory, const Entry& entry, const std::string& path) {
  const auto file = open_quietly(directory, entry.name, path);
  const auto before = stamp_of(file.get(), path);
  auto hash = sha256_of_file(file.get(), path, false);
  const auto after = stamp_of(file.get(), path);
  if (before != after || after.size != entry.size || after.mtime_ns != entry.mtime_ns) changed(path);
  return hash;
}

void Source::record(Unit& unit) {
  if (!hash_) return;
  for (std::size_t s = 0; s < unit.batch.segments.size(); ++s) {
    const auto& segment = unit.batch.segments[s];
    Fd directory;
    for (std::size_t e = 0; e < segment.found.size(); ++e) {
      const auto& entry = segment.found[e].entry;
      if (entry.type != Type::kFile || unit.lost[s][e] || !unit.digests[s][e].empty()) continue;
      const auto path = join_path(segment.path, entry.name);
      try {
        if (!directory) directory = tree_.open_directory(segment.path);
        unit.digests[s][e] = hash_of(directory.get(), entry, path);
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
  entry_ = segment.found[where.entry].entry;
  path_ = join_path(segment.path, entry_.name);
  try {
    const auto directory = source.tree().open_directory(segment.path);
    auto file = open_quietly(directory.get(), entry_.name, path_);
    before_ = stamp_of(file.get(), path_);
    refresh(entry_, before_, file.get(), path_);
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

Frame LargeSource::message(std::uint64_t zeros, std::string_view data) const {
  Writer to;
  to.u64(offset_).u64(zeros).raw(data);
  return {Kind::kChunk, std::move(to.bytes())};
}

LargeSource::Step LargeSource::next(std::string_view theirs) {
  if (!file_ || offset_ >= before_.size) return {std::nullopt, true};
  try {
    if (entry_.sparse) {
      const auto data = next_data(file_.get(), offset_, before_.size);
      const auto hole = data == before_.size ? data - offset_ : (data - offset_) / kChunk * kChunk;
      if (hole > 0) {
        auto frame = message(hole, {});
        const std::string zeros(std::min<std::uint64_t>(hole, kChunk), '\0');
        for (auto left = source_.hashes() ? hole : 0; left > 0;) {
          const auto piece = std::min<std::uint64_t>(left, zeros.size());
          hash_.update(std::string_view(zeros).substr(0, piece));
          left -= piece;
        }
        offset_ += hole;
        source_.progress().settle(0, hole);
        return {std::move(frame), false};
      }
    }
    const auto data = read_at(file_.get(), offset_, std::min<std::uint64_t>(kChunk, before_.size - offset_), path_);
    if (data.empty()) return {std::nullopt, true};  // It became shorter.
    if (source_.hashes()) hash_.update(data);
    std::optional<Frame> frame;
    if (theirs.empty() || theirs != quick_hash(data)) {
      const bool zeros = entry_.sparse && all_zero(data);
      frame = message(zeros ? data.size() : 0, zeros ? std::string_view() : data);
      source_.progress().move(zeros ? 0 : data.size());
    }
    offset_ += data.size();
    source_.progress().settle(0, data.size());
    return {std::move(frame), data.size() < kChunk && offset_ % kChunk != 0};
  } catch (const FileError& failure) {
    give_up(failure);
    return {std::nullopt, true};
  }
}

FileHead LargeSource::finish() {
  entry_.size = std::min(entry_.size, offset_);
  source_.progress().settle(1, 0);
  FileHead head;
  head.where = where_;
  head.entry = entry_;
  head.content = file_ ? Content::kComplete : Content::kGone;
  if (!file_) return head;
  unit_.batch.segments[where_.segment].found[where_.entry].entry = entry_;
  if (source_.hashes()) unit_.digests[where_.segment][where_.entry] = hash_.finish();
  try {
    if (stamp_of(file_.get(), path_) != before_ || offset_ != before_.size) source_.changed(path_);
  } catch (const FileError& failure) {
    source_.unreadable(path_, failure);
  }
  return head;
}

}  // namespace mtc::volume
