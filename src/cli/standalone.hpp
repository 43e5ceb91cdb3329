#pragma once

#include <optional>
#include <string>

namespace mtc::cli {

/// The state file of `mtc controller --standalone`: $XDG_STATE_HOME/mtc/host.db, or ~/.local/state/mtc/host.db.
std::string standalone_state();
/// Where the program that serves `state` leaves the kubeconfig of its administrator.
std::string kubeconfig_of(const std::string& state);
/// The process that serves `state` now; nullopt if none does.
std::optional<int> server_of(const std::string& state);

/// Holds the file "<state>.lock" for as long as this process serves `state`. The system lets go of it when the process
/// ends, however it ends.
class StateLock {
 public:
  /// Makes the folder of `state`, for this user alone, if it is not there. Throws UserError(kConflict) naming the
  /// process that holds the lock.
  explicit StateLock(const std::string& state);
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace mtc::cli
