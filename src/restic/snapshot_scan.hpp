#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "restic/node.hpp"
#include "restic/repository.hpp"
#include "volume/report.hpp"
#include "volume/wire.hpp"

namespace mtc::restic {

/// A batch of names as a snapshot has them, and the blobs of each file.
struct SnapshotBatch {
  volume::Listed listed;
  std::vector<std::vector<std::vector<Id>>> content;  ///< by segment and entry
};

/// Walks a snapshot in the order of volume::Scan, without lost+found at its root. Keeps the JSON of one directory and
/// the names of the directories still to come along one path. One task at a time.
class SnapshotScan {
 public:
  SnapshotScan(Repository& repository, Id tree);

  /// The next names; nothing at the end. Throws what Repository::load and TreeReader say, with the directory's path.
  Task<std::optional<SnapshotBatch>> next();
  /// Further names of files that were listed before, of what was walked so far.
  const std::vector<volume::Link>& links() const { return links_; }
  bool left_out_lost_and_found() const { return left_out_; }
  /// What the snapshot itself says of its entries and cannot be true (see volume::has_cut_time), of what was walked so
  /// far.
  const std::optional<volume::Loss>& cut_times() const { return cut_times_; }

 private:
  struct Child {
    std::string name;
    Id tree;
  };
  struct Level {
    std::string path;
    std::vector<Child> children;
    std::size_t at = 0;
  };
  /// The first name of a file with several.
  struct First {
    std::string path;
    Id same;  ///< over what all its names must agree in
  };

  Task<bool> advance(SnapshotBatch* into);
  Task<void> open(std::string path, Id tree);
  void read_segment(SnapshotBatch& into);
  bool is_further(const Node& node, const std::string& path);

  Repository* repository_;
  std::uint64_t number_ = 0;
  Id root_;
  bool begun_ = false;
  bool left_out_ = false;
  std::optional<volume::Loss> cut_times_;
  std::string path_;  ///< of the open directory
  std::string json_;
  std::optional<TreeReader> reader_;
  std::string last_name_;
  std::vector<Child> children_;  ///< of the open directory, found so far
  std::vector<Level> levels_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, First> firsts_;
  std::vector<volume::Link> links_;
};

}  // namespace mtc::restic
