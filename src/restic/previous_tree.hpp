#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "restic/node.hpp"
#include "restic/repository.hpp"
#include "restic/snapshot.hpp"
#include "volume/scan.hpp"

namespace mtc::restic {

/// The tree of the snapshot before, read beside a scan: a directory's nodes are there when its names are. What cannot
/// be read of it is as if it had not been there. One task at a time.
class PreviousTree {
 public:
  /// Nothing is found in it without a `snapshot`.
  PreviousTree(Repository& repository, const std::optional<Snapshot>& snapshot);

  /// The nodes of the segment's names, in order, as far as there are. Segments come in the order of the scan.
  Task<std::vector<Node>> nodes_of(const volume::Segment* segment);

  /// Whether `now` is so much like `before` that its content need not be read. A file that was changed when the
  /// snapshot had begun, or just before, may have been changed again within the same tick of the clock.
  bool is_unchanged(const Node& now, const Node& before) const;

 private:
  Task<void> open(const std::string* path);
  std::vector<Node> advance(const volume::Segment& segment);

  Repository* repository_;
  std::int64_t settled_before_ns_ = 0;  ///< what changed later is read
  std::map<std::string, Id> trees_;     ///< of directories that the scan has yet to come to
  std::string json_;
  std::optional<TreeReader> reader_;
  std::optional<Node> ahead_;
};

}  // namespace mtc::restic
