#include "async/scope.hpp"

#include <algorithm>
#include <cassert>
#include <list>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "async/spawn.hpp"
#include "async/wait_list.hpp"
#include "base/error.hpp"

namespace mtc::async {

namespace asio = boost::asio;

struct Scope::State {
  struct Child {
    asio::cancellation_signal stop;
  };

  explicit State(asio::any_io_executor on) : executor(std::move(on)) {}

  void finished(const std::shared_ptr<Child>& child, const std::exception_ptr& failure,
                const std::function<void(std::exception_ptr)>& on_failure) {
    children.remove(child);
    if (failure && on_failure) {
      if (!is_cancellation(failure)) on_failure(failure);
    } else if (failure && !first_failure && !(cancelling && is_cancellation(failure))) {
      first_failure = failure;
      cancel_all();
    }
    if (children.empty()) idle.wake_all();
  }

  void cancel_all() {
    cancelling = true;
    // A child may end, and leave the list, while it is being told.
    const auto told = children;
    for (const auto& child : told) child->stop.emit(asio::cancellation_type::terminal);
  }

  asio::any_io_executor executor;
  std::list<std::shared_ptr<Child>> children;
  std::exception_ptr first_failure;
  bool cancelling = false;
  WaitList idle;
};

Task<Scope> Scope::create() { co_return Scope(std::make_shared<State>(co_await asio::this_coro::executor)); }

Scope::Scope(std::shared_ptr<State> state) : state_(std::move(state)) {}
Scope::Scope(Scope&&) noexcept = default;
Scope::~Scope() { assert((!state_ || state_->children.empty()) && "a Scope was dropped before it was joined"); }

void Scope::spawn(Task<void> child) { spawn_isolated(std::move(child), {}); }

void Scope::spawn_isolated(Task<void> child, std::function<void(std::exception_ptr)> on_failure) {
  auto entry = std::make_shared<State::Child>();
  state_->children.push_back(entry);
  auto done = [state = state_, entry, on_failure = std::move(on_failure)](const std::exception_ptr& failure) {
    state->finished(entry, failure, on_failure);
  };
  asio::co_spawn(state_->executor, as_root(std::move(child)),
                 asio::bind_cancellation_slot(entry->stop.slot(), std::move(done)));
  if (state_->cancelling) entry->stop.emit(asio::cancellation_type::terminal);
}

void Scope::cancel() { state_->cancel_all(); }

Task<void> Scope::join() {
  const auto state = state_;
  while (!state->children.empty()) {
    co_await state->idle.wait(WaitList::OnCancel::kKeep, [state] { state->cancel_all(); });
  }
  if (auto failure = std::exchange(state->first_failure, nullptr)) std::rethrow_exception(failure);
  co_await throw_if_cancelled();
}

Task<void> Scope::cancel_and_join() {
  const auto state = state_;
  state->cancel_all();
  while (!state->children.empty()) co_await state->idle.wait(WaitList::OnCancel::kKeep);
  if (auto failure = std::exchange(state->first_failure, nullptr)) std::rethrow_exception(failure);
}

std::size_t Scope::running() const { return state_->children.size(); }

Task<void> all(std::vector<Task<void>> tasks) {
  auto scope = co_await Scope::create();
  for (auto& task : tasks) scope.spawn(std::move(task));
  co_await scope.join();
}

namespace {

struct ParallelFor {
  std::size_t next = 0;
  std::size_t count = 0;
  std::function<Task<void>(std::size_t)> make;
};

Task<void> work_through(ParallelFor* work) {
  while (work->next < work->count) co_await work->make(work->next++);
}

}  // namespace

Task<void> parallel_for(std::size_t count, std::size_t width, std::function<Task<void>(std::size_t)> make) {
  ParallelFor work{0, count, std::move(make)};
  auto scope = co_await Scope::create();
  for (std::size_t i = 0; i < std::min(count, std::max<std::size_t>(width, 1)); ++i) scope.spawn(work_through(&work));
  co_await scope.join();
}

Task<void> sleep_for(Duration duration) {
  co_await throw_if_cancelled();
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  co_await throw_if_cancelled();
}

Task<void> yield() { co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable); }

Task<void> with_timeout_void(Duration limit, std::string what, Task<void> task) {
  auto scope = co_await Scope::create();
  bool late = false;
  std::exception_ptr failure;
  auto watched = [](Task<void> inner, std::exception_ptr* out) -> Task<void> {
    try {
      co_await std::move(inner);
    } catch (...) {  // Handed to the caller below.
      *out = std::current_exception();
    }
  };
  scope.spawn(watched(std::move(task), &failure));

  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  timer.async_wait([&](boost::system::error_code cancelled) {
    if (cancelled) return;
    late = true;
    scope.cancel();
  });
  // The scope outlives the timer's callback: cancel() below takes back what has not run yet, and a callback that is
  // already queued runs before `settle` does.
  std::exception_ptr joined;
  try {
    co_await scope.join();
  } catch (...) {  // Rethrown below, when the timer is out of the way.
    joined = std::current_exception();
  }
  timer.cancel();
  co_await yield();
  if (joined) std::rethrow_exception(joined);
  if (failure && late && is_cancellation(failure)) {
    throw Error(Code::kTimeout, fmt::format("{}: no answer within {} ms", what,
                                            std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()));
  }
  if (failure) std::rethrow_exception(failure);
}

// ---- Event

struct Event::State {
  bool set = false;
  WaitList waiters;
};

Event::Event() : state_(std::make_shared<State>()) {}
Event::~Event() = default;

void Event::set() {
  state_->set = true;
  state_->waiters.wake_all();
}

void Event::reset() { state_->set = false; }
bool Event::is_set() const { return state_->set; }

Task<void> Event::wait() {
  const auto state = state_;
  while (!state->set) co_await state->waiters.wait();
}

Task<bool> Event::wait_for(Duration limit) {
  const auto state = state_;
  if (state->set) co_return true;
  auto late = std::make_shared<bool>(false);
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  timer.async_wait([state, late](boost::system::error_code cancelled) {
    if (cancelled) return;
    *late = true;
    state->waiters.wake_all();
  });
  while (!state->set && !*late) co_await state->waiters.wait();
  co_return state->set;
}

// ---- Semaphore

struct Semaphore::State {
  std::size_t free = 0;
  WaitList waiters;
};

Semaphore::Semaphore(std::size_t permits) : state_(std::make_shared<State>()) { state_->free = permits; }

Task<Semaphore::Permit> Semaphore::acquire() {
  const auto state = state_;
  while (state->free == 0) {
    try {
      co_await state->waiters.wait();
    } catch (...) {  // Woken and cancelled at once: the permit is for the next in line.
      if (state->free > 0) state->waiters.wake_one();
      throw;
    }
  }
  --state->free;
  co_return Permit(state);
}

Semaphore::Permit::Permit(std::shared_ptr<State> state) : state_(std::move(state)) {}
Semaphore::Permit::Permit(Permit&&) noexcept = default;
Semaphore::Permit::~Permit() {
  if (!state_) return;
  ++state_->free;
  state_->waiters.wake_one();
}

}  // namespace mtc::async
