#include "async/wait_list.hpp"

#include <functional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mtc::async {

namespace asio = boost::asio;

struct WaitList::Waiter {
  std::move_only_function<void()> resume;

  /// Resumes through the executor, never on the caller's stack: the one who wakes is not interrupted.
  void wake() {
    if (auto once = std::exchange(resume, nullptr)) once();
  }
};

WaitList::WaitList() : waiters_(std::make_shared<std::list<std::shared_ptr<Waiter>>>()) {}
WaitList::~WaitList() = default;

Task<void> WaitList::wait(OnCancel on_cancel, std::function<void()> hook) {
  const auto executor = co_await asio::this_coro::executor;
  const auto cancelled = [](const asio::cancellation_state& state) {
    return state.cancelled() != asio::cancellation_type::none;
  };
  if (cancelled(co_await asio::this_coro::cancellation_state)) {
    if (on_cancel == OnCancel::kThrow) co_await throw_if_cancelled();
    if (hook) hook();
  }

  auto waiter = std::make_shared<Waiter>();
  const auto waiters = waiters_;  // survives a WaitList that is destroyed while somebody is being woken
  waiters->push_back(waiter);
  auto start = [&](auto handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([waiter, on_cancel, hook](asio::cancellation_type) {
        if (on_cancel == OnCancel::kThrow) {
          waiter->wake();
        } else if (hook) {
          hook();
        }
      });
    }
    waiter->resume = [handler = std::move(handler), slot, executor, guard = asio::make_work_guard(executor)]() mutable {
      slot.clear();
      asio::post(executor, std::move(handler));
    };
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable);
  waiters->remove(waiter);
  if (on_cancel == OnCancel::kThrow) co_await throw_if_cancelled();
}

bool WaitList::wake_one() {
  if (waiters_->empty()) return false;
  auto waiter = waiters_->front();
  waiters_->pop_front();
  waiter->wake();
  return true;
}

void WaitList::wake_all() {
  while (wake_one()) {
  }
}

}  // namespace mtc::async
