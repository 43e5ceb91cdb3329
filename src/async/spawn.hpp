#pragma once

#include "async/task.hpp"

namespace mtc::async {

/// The first frame of every task that is started (Runtime::run, Scope::spawn): switches off Asio's own throwing at each
/// co_await of a cancelled coroutine, so that cancelled tasks can await their clean-up (see throw_if_cancelled).
Task<void> as_root(Task<void> body);

}  // namespace mtc::async
