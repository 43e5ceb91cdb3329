#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/scope.hpp"
#include "restic/fetch.hpp"
#include "restic/restore_content.hpp"
#include "restic/snapshot_scan.hpp"
#include "volume/destination.hpp"

namespace mtc::restic {

/// What the lanes of one restore share.
struct Restoring {
  static constexpr std::size_t kRequests = 8;
  static constexpr std::size_t kLargeAtOnce = 2;

  Restoring(Repository& from, volume::Destination& to, Id tree, volume::Progress& how_far)
      : repository(&from), destination(&to), scan(from, tree), progress(&how_far) {}

  Repository* repository;
  volume::Destination* destination;
  SnapshotScan scan;
  volume::Progress* progress;
  async::Semaphore turn{1};  // at the scan
  async::Semaphore requests{kRequests};
  async::Semaphore large{kLargeAtOnce};
  bool scanned = false;
  unsigned looking = 0;  ///< lanes between taking names and having prepared them
  std::uint64_t entries = 0;

  void count_if_all_found() {
    if (scanned && looking == 0) progress->counted = true;
  }
};

/// Restores batch after batch until the scan ends.
Task<void> run_restore_lane(Restoring* restoring);

/// Restores a file that is larger than volume::kSmallFile; what is there of it is kept.
Task<void> restore_large(Restoring* restoring, const SnapshotBatch* batch, volume::Where at);

}  // namespace mtc::restic
