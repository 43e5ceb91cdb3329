#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace mtc::restic {

class Repository;

/// Backups and restores share a repository; what removes data needs it alone.
enum class LockKind { kShared, kExclusive };

struct LockTimes {
  Duration refresh = std::chrono::minutes(5);
  Duration stale = std::chrono::minutes(30);  ///< restic's: it takes older locks away
  Duration poll = std::chrono::seconds(2);    ///< while the lock is somebody else's; at most twice that
};

/// Runs `body` while a lock file of ours lies in the repository, and removes it afterwards, also if `body` fails or is
/// cancelled. The file is refreshed every 5 minutes; if that failed for so long that others may take it for stale,
/// `body` is cancelled and Error(kConflict) thrown.
///
/// A conflicting lock is waited for, up to `patience`; then Error(kConflict) names its holder. Stale locks are removed:
/// those older than 30 minutes, and those of processes of this host that do not run any more.
Task<void> with_lock(std::shared_ptr<Repository> repository, LockKind kind, Duration patience,
                     std::function<Task<void>()> body, LockTimes times = {});

}  // namespace mtc::restic
