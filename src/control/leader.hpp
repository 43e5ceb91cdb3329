#pragma once

#include <functional>
#include <string>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "kube/client.hpp"

namespace mtc::control {

struct LeaderOptions {
  kube::ClientPtr host;
  std::string identity;  ///< of this process; this_process() outside tests
  const Clock* clock = nullptr;
  Duration lease = std::chrono::seconds(15);  ///< after which a silent leader counts as gone
  Duration renew = std::chrono::seconds(5);
};

/// Runs `work` while this process holds the Lease openshift-migration/mtc-controller, so that of several controllers of
/// a host one works and the others stand by. Waits for the Lease first; takes it at once from a process of this machine
/// that is dead, else when its holder was silent for as long as it promised. Ends with `work`; throws Error(kConflict)
/// if the Lease was lost or could not be renewed in time, after `work` was cancelled.
Task<void> lead(LeaderOptions options, std::function<Task<void>()> work);

/// "host_boot_namespace_pid_start": tells this process from every other, also from one that gets its pid later.
std::string this_process();
/// Whether `identity` is a process of this machine and pid namespace that runs no more. False where that cannot be
/// told.
bool is_dead_here(const std::string& identity);

}  // namespace mtc::control
