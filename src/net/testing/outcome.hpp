#pragma once

#include <string>

#include "async/task.hpp"
#include "net/stream.hpp"

namespace mtc::net::testing {

/// Runs `body` on a Runtime of its own.
void run(Task<void> body);

/// "Code: message" of the Error that `task` throws; "" if it throws none.
Task<std::string> failure_of(Task<void> task);

/// Starts `task`, lets it wait for what never comes, cancels it, and tells whether it ended by the cancellation.
Task<bool> ends_when_cancelled(Task<void> task);

/// All bytes until the peer closes.
Task<std::string> read_to_end(Stream* from);
/// Sends back what comes until the peer closes, then closes.
Task<void> echo(StreamPtr stream);

}  // namespace mtc::net::testing
