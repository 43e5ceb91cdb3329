#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "restic/id.hpp"

namespace mtc::restic {

class Repository;

/// Which snapshots stay.
struct Keep {
  std::string host;      ///< only snapshots of this host are forgotten; "" = of every host, each counted for itself
  std::size_t last = 1;  ///< so many of the newest stay
};

struct PruneReport {
  std::vector<Id> forgotten;  ///< snapshots
  std::size_t removed_packs = 0;
  std::size_t repacked_blobs = 0;
  std::uint64_t freed_bytes = 0;
};

/// Removes snapshots that `keep` does not keep, then the data that none uses any more. Call it with an exclusive lock.
///
/// May be killed anywhere: blobs in use are copied into new packs, a new index is written, only then old indexes and,
/// last, old packs are removed. Throws Error(kCorrupt), and has removed no data, if a snapshot that stays is damaged.
Task<PruneReport> forget_and_prune(std::shared_ptr<Repository> repository, Keep keep);

}  // namespace mtc::restic
