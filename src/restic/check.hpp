#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "async/task.hpp"

namespace mtc::restic {

class Repository;

struct CheckReport {
  static constexpr std::size_t kListed = 100;

  std::size_t snapshots = 0;
  std::size_t packs = 0;      ///< that an index names
  std::size_t blobs = 0;      ///< in use by a snapshot
  std::uint64_t bytes = 0;    ///< of packs, read with ReadData::kYes
  std::size_t unused = 0;     ///< blobs that no snapshot uses; harmless
  std::size_t unindexed = 0;  ///< packs that no index names, left by a run that ended early; harmless
  std::size_t failures = 0;
  std::vector<std::string> listed;  ///< the first kListed of the failures: which object, what is wrong

  bool sound() const { return failures == 0; }
};

enum class ReadData { kNo, kYes };

/// Whether every snapshot can be restored. Reads every index, snapshot and tree, and compares the packs with the index
/// and the store; with kYes reads every pack: its hash, its header, every blob. What is damaged is listed, not thrown;
/// Errors of the store that may pass are thrown.
Task<CheckReport> check(Repository& repository, ReadData read_data);

}  // namespace mtc::restic
