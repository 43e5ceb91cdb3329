#include "volume/scan.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "volume/file_error.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kNames = 512;
constexpr std::size_t kSegments = 128;

bool is_gone(int number) { return number == ENOENT || number == ENOTDIR || number == ELOOP || number == ESTALE; }

bool is_directory(int parent, const Name& name) {
  if (name.kind != DT_UNKNOWN) return name.kind == DT_DIR;
  struct stat found{};
  return ::fstatat(parent, name.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
}

}  // namespace

void note(Batch& batch, const FileError& failure, std::string path) {
  if (failure.number() == EXDEV) {
    batch.unreadable.push_back({std::move(path), "another file system is mounted here"});
  } else {
    (is_gone(failure.number()) ? batch.vanished : batch.unreadable).push_back({std::move(path), failure.what()});
  }
}

Scan::Scan(const Tree& tree) : tree_(&tree) {}

std::optional<Batch> Scan::next() {
  Batch batch;
  batch.number = number_;
  std::size_t names = 0;
  while (names < kNames && batch.segments.size() < kSegments && advance(batch)) {
    if (!batch.segments.empty()) names += batch.segments.back().found.size();
  }
  if (batch.segments.empty() && batch.vanished.empty() && batch.unreadable.empty()) return std::nullopt;
  ++number_;
  return batch;
}

/// Adds the next part of the current directory, or turns to the next directory. False at the end.
bool Scan::advance(Batch& into) {
  if (!in_directory_) {
    if (!begun_) {
      begun_ = true;
      open("", into);
      return true;
    }
    while (!levels_.empty() && levels_.back().at == levels_.back().directories.size()) levels_.pop_back();
    if (levels_.empty()) return false;
    open(next_directory(), into);
    return true;
  }
  Segment segment;
  segment.path = path_;
  if (at_ > 0) segment.after = names_[at_ - 1].name;
  const auto end = std::min(names_.size(), at_ + kNames);
  segment.found.reserve(end - at_);
  for (; at_ < end; ++at_) {
    Seen seen;
    seen.entry.name = names_[at_].name;
    seen.kind = names_[at_].kind;
    segment.found.push_back(std::move(seen));
  }
  segment.last = at_ == names_.size();
  in_directory_ = !segment.last;
  if (segment.last) names_ = {};
  into.segments.push_back(std::move(segment));
  return true;
}

std::string Scan::next_directory() {
  auto& level = levels_.back();
  return join_path(level.path, level.directories[level.at++]);
}

void Scan::open(std::string path, Batch& into) {
  try {
    const auto directory = tree_->open_directory(path);
    names_ = list_names(directory.get(), path);
    if (path.empty()) std::erase_if(names_, [](const Name& name) { return name.name == kLostAndFound; });
    Level level;
    level.path = path;
    for (const auto& name : names_) {
      if (is_directory(directory.get(), name)) level.directories.push_back(name.name);
    }
    if (!level.directories.empty()) levels_.push_back(std::move(level));
    path_ = std::move(path);
    at_ = 0;
    in_directory_ = true;
  } catch (const FileError& failure) {
    if (path.empty()) throw;
    note(into, failure, std::move(path));
  }
}

void look_at(const Tree& tree, Batch& batch) {
  for (auto& segment : batch.segments) {
    std::vector<Seen> found;
    try {
      const auto directory = tree.open_directory(segment.path);
      const WorkingDirectory here(directory.get());
      found.reserve(segment.found.size());
      for (const auto& name : segment.found) {
        const auto path = join_path(segment.path, name.entry.name);
        try {
          found.push_back(look_at(directory.get(), name.entry.name, path));
        } catch (const FileError& failure) {
          note(batch, failure, path);
        }
      }
    } catch (const FileError& failure) {
      note(batch, failure, segment.path);
    }
    segment.found = std::move(found);
  }
}

}  // namespace mtc::volume
