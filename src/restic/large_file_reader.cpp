#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <utility>

#include "restic/backup_source.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kBuffer = 2 * Chunker::kMax;

}  // namespace

LargeFileReader::LargeFileReader(BackupSource& source, BackupUnit& unit, volume::Where at)
    : source_(source), unit_(unit), at_(at), path_(unit.path(at)) {
  try {
    const auto directory = source.tree().open_directory(unit.batch.segments[at.segment].path);
    auto& node = unit.node(at);
    auto file = volume::open_quietly(directory.get(), node.entry.name, path_);
    source.refresh(node, file.get(), path_);
    before_ = {node.entry.size, node.entry.mtime_ns, node.ctime_ns};
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    file_ = std::move(file);
  } catch (const volume::FileError& failure) {
    source.unreadable(unit, at, failure);
  }
}

/// Moves what is left to the front, and reads as much as there is room for.
void LargeFileReader::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const auto wanted = std::min<std::uint64_t>(kBuffer - buffer_.size(), before_.size - read_);
  const auto more = volume::read_at(file_.get(), read_, wanted, path_);
  buffer_ += more;
  read_ += more.size();
  ended_ = more.size() < wanted || read_ == before_.size;  // It may have become shorter.
}

std::vector<std::string_view> LargeFileReader::next() {
  std::vector<std::string_view> pieces;
  if (!file_) return pieces;
  try {
    if (!ended_) fill();
  } catch (const volume::FileError& failure) {
    source_.unreadable(unit_, at_, failure);
    file_ = {};
    return pieces;
  }
  while (begin_ < buffer_.size() && (ended_ || buffer_.size() - begin_ >= Chunker::kMax)) {
    const auto rest = std::string_view(buffer_).substr(begin_);
    pieces.push_back(rest.substr(0, source_.chunker().first(rest)));
    begin_ += pieces.back().size();
  }
  return pieces;
}

void LargeFileReader::finish(std::vector<Id> blobs) {
  if (!file_) return;
  auto& node = unit_.node(at_);
  node.content = std::move(blobs);
  try {
    const bool still = read_ == before_.size && volume::stamp_of(file_.get(), path_) == before_;
    if (!still) source_.changed(path_);
    node.entry.size = read_;
    source_.keep(node, still ? before_ : volume::Stamp{});
    source_.done(node);
  } catch (const volume::FileError& failure) {
    source_.unreadable(unit_, at_, failure);
  }
}

}  // namespace mtc::restic
