#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <utility>

#include "restic/backup_source.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kBuffer = Chunker::kMax + Chunker::kMax / 2;

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

/// Reads behind what `window` holds as much as there is room for.
void LargeFileReader::fill(FileWindow& window) {
  window.bytes.reserve(kBuffer);
  window.bytes += std::exchange(uncut_, {});
  const auto wanted = std::min<std::uint64_t>(kBuffer - window.bytes.size(), before_.size - read_);
  const auto more = volume::append_at(window.bytes, file_.get(), read_, wanted, path_);
  read_ += more.size();
  ended_ = more.size() < wanted || read_ == before_.size;  // It may have become shorter.
}

FileWindow LargeFileReader::next() {
  FileWindow window;
  if (!file_ || ended_) return window;
  try {
    fill(window);
  } catch (const volume::FileError& failure) {
    source_.unreadable(unit_, at_, failure);
    file_ = {};
    return {};
  }
  std::string_view rest = window.bytes;
  while (!rest.empty()) {
    const auto size = source_.chunker().first(rest);
    if (size == rest.size() && size < Chunker::kMax && !ended_) break;  // Its end lies in the next window.
    window.sizes.push_back(size);
    rest.remove_prefix(size);
  }
  uncut_ = rest;
  return window;
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
