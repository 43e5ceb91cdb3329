#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "volume/attributes.hpp"
#include "volume/file_error.hpp"
#include "volume/tree.hpp"

namespace mtc::volume {

/// What went wrong with one path, for the report.
struct Problem {
  std::string path;
  std::string what;
};

/// A part of one directory's names, in order. A directory of any size travels in parts of bounded size.
struct Segment {
  std::string path;         ///< of the directory; "" is the root
  std::string after;        ///< the last name of the part before; "" in the first
  bool last = true;         ///< no names follow
  std::vector<Seen> found;  ///< by name
};

/// Parts of one or more directories: the unit of work.
struct Batch {
  std::uint64_t number = 0;  ///< from 0, in the order of the scan
  std::vector<Segment> segments;
  std::vector<Problem> vanished;    ///< gone while we looked
  std::vector<Problem> unreadable;  ///< named, and not looked at
};

/// The directory at the root of a volume where fsck puts what it finds: it belongs to the file system, not to the data.
inline constexpr auto kLostAndFound = "lost+found";

/// Walks a tree, without lost+found at its root: each directory's names sorted by their bytes, then its directories in
/// that order. Does not follow links and does not cross into other file systems. Keeps the names of one directory and
/// of the directories still to come along one path, never the tree. Not thread-safe.
class Scan {
 public:
  /// `tree` must outlive the scan.
  explicit Scan(const Tree& tree);
  /// The next names, not looked at yet; nothing at the end. Throws FileError if the root itself cannot be read.
  std::optional<Batch> next();

 private:
  struct Level {
    std::string path;
    std::vector<std::string> directories;
    std::size_t at = 0;
  };
  bool advance(Batch& into);
  void open(std::string path, Batch& into);
  std::string next_directory();

  const Tree* tree_;
  std::uint64_t number_ = 0;
  std::vector<Level> levels_;
  bool begun_ = false;
  std::string path_;
  std::vector<Name> names_;
  std::size_t at_ = 0;
  bool in_directory_ = false;
};

/// Fills in what the names of `batch` are; any thread. Names that vanished are taken out and noted.
void look_at(const Tree& tree, Batch& batch);
/// Notes in `batch` that `path` has vanished or cannot be read.
void note(Batch& batch, const FileError& failure, std::string path);

}  // namespace mtc::volume
