#pragma once

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "async/task.hpp"

namespace mtc::async {

/// Whom a process runs as.
struct Credentials {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  ///< further ones
};

/// What a child process is started with. It inherits nothing else: no descriptors, no variables, no ignored
/// signals, and has the usual umask 022.
struct Command {
  std::string program;                   ///< its path
  std::vector<std::string> arguments;    ///< from argv[0] on
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string folder;                    ///< where it works
  std::string output;                    ///< the file that its stdout and stderr are appended to; made if absent, 0600
  std::optional<Credentials> credentials = {};  ///< other than those of this program, which must be root to give them
};

/// How a process ended: by its own code, or by a signal (then `code` is 128 + signal, as shells say).
struct ExitStatus {
  int code = 0;
  int signal = 0;
};

/// A child process in a session of its own. It does not outlive this program, however that ends (PR_SET_PDEATHSIG), nor
/// its Process. For tasks of one Runtime.
class Process {
 public:
  /// Returns when the program runs: `credentials` must let it reach the folder. Throws Error(kUnavailable) naming the
  /// program, or the file, and the cause.
  static Task<Process> start(Command command);
  /// Kills a process that still runs, and waits for its end.
  ~Process();
  Process(Process&&) noexcept;
  Process& operator=(Process&&) = delete;

  /// Sends a signal to it and to what it started; of no effect once it has ended.
  void signal(int number);
  /// Waits for its end; after it, returns at once. A cancelled caller leaves the process running.
  Task<ExitStatus> wait();

 private:
  struct State;
  explicit Process(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mtc::async
