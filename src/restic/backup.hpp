#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "restic/repository.hpp"
#include "restic/snapshot.hpp"
#include "volume/progress.hpp"
#include "volume/read_pace.hpp"
#include "volume/report.hpp"

namespace mtc::restic {

struct BackupOptions {
  std::string root;               ///< of the file tree; or the device
  bool device = false;            ///< `root` is a block device
  std::string host;               ///< of the snapshot; files unchanged since the newest one of this host are not read
  std::vector<std::string> tags;  ///< of the snapshot
  bool by_hash = false;           ///< every file is read
  bool lenient = false;           ///< a rehearsal: what changes meanwhile is kept as it was read last, and listed
  unsigned passes = 2;            ///< at most; another one if files changed while they were read
  unsigned lanes = 4;             ///< batches of names on their way at once
  volume::ReadPace* reads = nullptr;     ///< kept if given; outlives the run
  volume::Progress* progress = nullptr;  ///< written to if given; outlives the run
  std::function<void(const std::string&)> say = [](const std::string&) {};
};
struct BackupResult {
  volume::Report report;
  std::optional<Snapshot> snapshot;  ///< nothing unless the report is a success
};
/// Puts a file tree into the repository as a snapshot, whose root is the tree's root, path "/"; what the root itself is
/// goes into a tag (root_tag.hpp). A block device becomes a tree of one file (device_tree.hpp). The repository's index
/// need not be loaded. A run that fails or is killed leaves blobs that the next one uses.
///
/// Throws FileError if the root or the device cannot be read, and the Errors of the repository; what fails on single
/// files is in the report, and then there is no snapshot. Memory: the trees of the directories along one path, and
/// content on its way.
Task<BackupResult> back_up(std::shared_ptr<Repository> repository, BackupOptions options);

}  // namespace mtc::restic
