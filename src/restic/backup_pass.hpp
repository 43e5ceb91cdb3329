#pragma once

#include "restic/backup.hpp"

namespace mtc::restic {

/// What was read in one pass, and the tree it makes.
struct Passed {
  volume::Report report;
  Snapshot snapshot;  ///< its time, tree and tags
};

/// Reads a block device once; what the repository knows already is not stored again. `options` and `progress` outlive
/// the task.
Task<Passed> read_device(Repository* repository, const BackupOptions* options, volume::Progress* progress);

}  // namespace mtc::restic
