#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace mtc::async {

/// Owns child tasks: nothing that was spawned outlives the Scope's join. Make it with a Task's executor by awaiting
/// Scope::create(), and await join() or cancel_and_join() before it goes out of scope (asserted).
///
///   auto scope = co_await Scope::create();
///   scope.spawn(fetch(a)); scope.spawn(fetch(b));
///   co_await scope.join();
class Scope {
 public:
  static Task<Scope> create();
  Scope(Scope&&) noexcept;
  Scope& operator=(Scope&&) = delete;
  ~Scope();

  /// Starts `child`. If it throws an Error, its siblings are cancelled and join() rethrows the first failure.
  void spawn(Task<void> child);
  /// As spawn, but a failure is handed to `on_failure` and touches nobody else.
  void spawn_isolated(Task<void> child, std::function<void(std::exception_ptr)> on_failure);
  /// Asks all children to stop; returns at once.
  void cancel();
  /// Waits for all children. A cancellation of the caller cancels the children and waits for them all the same.
  Task<void> join();
  Task<void> cancel_and_join();
  std::size_t running() const;

 private:
  struct State;
  explicit Scope(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// Runs all tasks at once and waits for them; the first failure cancels the others and is rethrown.
Task<void> all(std::vector<Task<void>> tasks);
/// Runs `make(i)` for i in [0, count), at most `width` at a time; the first failure cancels the rest and is rethrown.
Task<void> parallel_for(std::size_t count, std::size_t width, std::function<Task<void>(std::size_t)> make);

/// Suspends. Throws the cancellation if cancelled.
Task<void> sleep_for(Duration duration);
/// Lets other ready tasks run.
Task<void> yield();

/// Runs `task`; if it has not ended after `limit`, cancels it, waits for its end and throws Error(kTimeout, what + "
/// …").
Task<void> with_timeout_void(Duration limit, std::string what, Task<void> task);
template <typename T>
Task<T> with_timeout(Duration limit, std::string what, Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    co_await with_timeout_void(limit, std::move(what), std::move(task));
  } else {
    std::optional<T> result;
    auto store = [](Task<T> inner, std::optional<T>* out) -> Task<void> { out->emplace(co_await std::move(inner)); };
    co_await with_timeout_void(limit, std::move(what), store(std::move(task), &result));
    co_return std::move(*result);
  }
}

/// A flag that tasks wait for. Not thread-safe: for tasks of one Runtime.
class Event {
 public:
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  /// Wakes all waiters, now and later, until reset().
  void set();
  void reset();
  bool is_set() const;
  Task<void> wait();
  /// True if set within `limit`.
  Task<bool> wait_for(Duration limit);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Limits how many tasks do something at once.
class Semaphore {
 public:
  explicit Semaphore(std::size_t permits);
  /// Gives its permit back when destroyed.
  class Permit;
  Task<Permit> acquire();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

class Semaphore::Permit {
 public:
  Permit(Permit&&) noexcept;
  Permit& operator=(Permit&&) = delete;
  ~Permit();

 private:
  friend class Semaphore;
  explicit Permit(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace mtc::async
