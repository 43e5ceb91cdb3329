#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace mtc::async {

/// One event-loop thread (the caller of run) and a small pool for blocking work.
class Runtime {
 public:
  /// `offload_threads`: size of the pool behind offload().
  explicit Runtime(unsigned offload_threads = 2);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Runs `main` to its end on the calling thread, then returns or rethrows what it threw. Everything `main` spawned in
  /// Scopes has ended by then. May be called again.
  void run(Task<void> main);
  /// As run, and hands SIGINT and SIGTERM to `main` as a cancellation; a second signal ends the process.
  /// Returns false if a signal ended it.
  bool run_until_signal(Task<void> main);

  boost::asio::any_io_executor executor();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Runs `work` on the pool of the Runtime that the calling task belongs to, and resumes here. `work` cannot be
/// interrupted: a cancelled caller still waits for its end. Exceptions come back.
Task<void> offload_void(std::move_only_function<void()> work);

template <typename F>
auto offload(F work) -> Task<std::invoke_result_t<F>> {
  using R = std::invoke_result_t<F>;
  if constexpr (std::is_void_v<R>) {
    co_await offload_void(std::move(work));
  } else {
    std::optional<R> result;
    co_await offload_void([&result, &work] { result.emplace(work()); });
    co_return std::move(*result);
  }
}

}  // namespace mtc::async
