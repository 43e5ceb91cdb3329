#include <fcntl.h>
#include <utility>

#include "restic/backup_source.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {

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
    windows_.emplace(source.chunker(), before_.size, [this](std::string& to, std::uint64_t offset, std::uint64_t size) {
      return volume::append_at(to, file_.get(), offset, size, path_);
    });
  } catch (const volume::FileError& failure) {
    source.unreadable(unit, at, failure);
  }
}

ContentWindow LargeFileReader::next() {
  if (!file_) return {};
  try {
    return windows_->next();
  } catch (const volume::FileError& failure) {
    source_.unreadable(unit_, at_, failure);
    file_ = {};
    return {};
  }
}

void LargeFileReader::finish(std::vector<Id> blobs) {
  if (!file_) return;
  auto& node = unit_.node(at_);
  node.content = std::move(blobs);
  try {
    const auto read = windows_->bytes_read();
    const bool still = read == before_.size && volume::stamp_of(file_.get(), path_) == before_;
    if (!still) source_.changed(path_);
    node.entry.size = read;
    source_.keep(node, still ? before_ : volume::Stamp{});
    source_.done(node);
  } catch (const volume::FileError& failure) {
    source_.unreadable(unit_, at_, failure);
  }
}

}  // namespace mtc::restic
