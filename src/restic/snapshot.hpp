#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "restic/id.hpp"

namespace mtc::restic {

class Repository;

/// A file tree at a point in time.
struct Snapshot {
  Id id;  ///< set by whoever reads or saves it
  std::optional<Id> parent;
  Id tree;
  Time time{};
  std::vector<std::string> paths;  ///< absolute; restic shows and groups by them
  std::vector<std::string> tags;
  std::string hostname;
  std::string username;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<Id> original;   ///< the snapshot that this one was before restic changed its tags
  std::string program_version;  ///< "mtc 0.1.0"; unknown to restic 0.14, which reads over it
};

/// The snapshots, oldest first. One that cannot be read is an Error that names it: who leaves it out would prune its
/// data.
Task<std::vector<Snapshot>> snapshots(Repository& repository);
/// Throws Error: kNotFound, kCorrupt.
Task<Snapshot> load_snapshot(Repository& repository, Id id);
/// Call Repository::flush() before: what a snapshot refers to must be there. Returns its Id.
Task<Id> save_snapshot(Repository& repository, Snapshot snapshot);
/// Its data stays until a prune. An absent one is fine.
Task<void> remove_snapshot(Repository& repository, Id id);

/// The JSON of a snapshot file, as restic 0.14 writes it.
std::string encode_snapshot(const Snapshot& snapshot);
/// Throws Error(kCorrupt).
Snapshot decode_snapshot(const std::string& text);

}  // namespace mtc::restic
