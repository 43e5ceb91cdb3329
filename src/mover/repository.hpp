#pragma once

#include <chrono>
#include <string>

#include "async/retry.hpp"
#include "blob/store.hpp"
#include "mover/budget.hpp"
#include "mover/mover.hpp"
#include "restic/backup.hpp"
#include "restic/prune.hpp"
#include "restic/restore.hpp"

namespace mtc::mover {

/// A backup repository, and how long to try when its store does not answer.
struct RepositoryAccess {
  blob::StorePtr store;
  std::string prefix;
  Secret password;
  /// A store that does not answer is tried again as long as nothing has moved for this long; others who hold the
  /// repository are waited for as long.
  Duration patience = std::chrono::minutes(3);
  async::Backoff backoff{std::chrono::milliseconds(500), std::chrono::seconds(15)};
};
/// Reads a folder, a Secret as a pod mounts it (docs/protocol/mover.md): `store.json`, `access-key-id`,
/// `secret-access-key`, `ca.crt` and `password`. Sends nothing yet; what it sends then takes from `bytes`. Throws
/// Error: kNotFound naming the file that cannot be read, kInvalid naming what is wrong in it. Blocks.
RepositoryAccess load_repository(const std::string& folder, net::PacePtr bytes);

/// Backs a volume up. Goes on where it broke off when the store fails for a while. Throws what restic::Repository::open
/// and restic::back_up say.
Task<restic::BackupResult> back_up(RepositoryAccess repository, restic::BackupOptions options);
/// Restores a volume, likewise.
Task<volume::Report> restore(RepositoryAccess repository, restic::RestoreOptions options, Say say);
/// Forgets snapshots and removes what none uses, likewise.
Task<restic::PruneReport> prune(RepositoryAccess repository, restic::Keep keep, Say say);

}  // namespace mtc::mover
