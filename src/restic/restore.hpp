#pragma once

#include <memory>
#include <string>

#include "restic/repository.hpp"
#include "restic/snapshot.hpp"
#include "volume/progress.hpp"
#include "volume/report.hpp"

namespace mtc::restic {

struct RestoreOptions {
  std::string root;           ///< made if missing; its parent must exist. Or the device
  bool device = false;        ///< `root` is a block device
  Id snapshot;                ///< which one
  bool by_hash = false;       ///< content is compared, not only size and time
  bool verify = false;        ///< everything is read back from the disk and compared with the snapshot
  bool allow_losses = false;  ///< what this process cannot keep (owners, attributes, devices) is no difference
  unsigned lanes = 4;         ///< batches of names on their way at once
  volume::Progress* progress = nullptr;  ///< written to if given; outlives the run
};
/// Makes a tree equal to a snapshot: what differs is written, what the snapshot does not have is removed (but for
/// lost+found at the root), what is the same is left. A run that is killed leaves nothing that looks complete and is
/// not, and the next one goes on. The repository's index need not be loaded.
/// A device gets what a snapshot of one has, where it differs, and zeros behind its end.
///
/// Throws FileError for what ends the run (no space, read-only), Error(kNotFound) for a snapshot that is not there,
/// kInvalid for one of a device that is to become a tree, or the reverse, and for a device that is too small, kCorrupt
/// for damage: then no file has wrong content and looks complete. What fails on single files is in the report.
Task<volume::Report> restore(std::shared_ptr<Repository> repository, RestoreOptions options);

/// Compares a tree with a snapshot, whose index is loaded: every entry, and every content as the disk has it, not the
/// page cache. What differs is noted in the report.
Task<void> verify(std::shared_ptr<Repository> repository, Snapshot snapshot, RestoreOptions options,
                  volume::Report* report);

}  // namespace mtc::restic
