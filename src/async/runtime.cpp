#include "async/runtime.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>

#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/spawn.hpp"

namespace mtc::async {

namespace asio = boost::asio;

namespace {

/// The pool for blocking work, reachable from any task through its io_context.
class OffloadPool final : public asio::execution_context::service {
 public:
  using key_type = OffloadPool;
  static inline asio::execution_context::id id;

  explicit OffloadPool(asio::execution_context& context, unsigned threads = 2) : service(context), threads_(threads) {}

  asio::thread_pool& pool() {
    // Threads start with the first blocking call: a short command never pays for them.
    if (!pool_) pool_ = std::make_unique<asio::thread_pool>(threads_);
    return *pool_;
  }

 private:
  void shutdown() override {
    if (pool_) pool_->join();
  }

  unsigned threads_;
  std::unique_ptr<asio::thread_pool> pool_;
};

}  // namespace

struct Runtime::State {
  explicit State(unsigned offload_threads) {
    asio::add_service(context, new OffloadPool(context, offload_threads));  // owned by the context
  }
  asio::io_context context{1};
};

Task<void> as_root(Task<void> body) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await std::move(body);
}

Runtime::Runtime(unsigned offload_threads) : state_(std::make_unique<State>(offload_threads)) {}
Runtime::~Runtime() = default;

boost::asio::any_io_executor Runtime::executor() { return state_->context.get_executor(); }

void Runtime::run(Task<void> main) {
  std::exception_ptr failure;
  asio::co_spawn(state_->context, as_root(std::move(main)),
                 [&](const std::exception_ptr& thrown) { failure = thrown; });
  state_->context.restart();
  state_->context.run();
  if (failure) std::rethrow_exception(failure);
}

bool Runtime::run_until_signal(Task<void> main) {
  asio::cancellation_signal stop;
  asio::signal_set signals(state_->context, SIGINT, SIGTERM);
  bool signalled = false;
  auto on_second = [](boost::system::error_code cancelled, int number) {
    if (!cancelled) std::_Exit(128 + number);
  };
  signals.async_wait([&](boost::system::error_code cancelled, int) {
    if (cancelled) return;
    signalled = true;
    signals.async_wait(on_second);
    stop.emit(asio::cancellation_type::terminal);
  });

  std::exception_ptr failure;
  asio::co_spawn(state_->context, as_root(std::move(main)),
                 asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& thrown) {
                   failure = thrown;
                   signals.cancel();
                 }));
  state_->context.restart();
  state_->context.run();
  if (failure && !(signalled && is_cancellation(failure))) std::rethrow_exception(failure);
  return !signalled;
}

Task<void> offload_void(std::move_only_function<void()> work) {
  const auto executor = co_await asio::this_coro::executor;
  auto& context = asio::query(executor, asio::execution::context);
  auto& pool = asio::use_service<OffloadPool>(context).pool();
  std::exception_ptr failure;
  auto start = [&](auto handler) {
    asio::post(pool, [&work, &failure, executor, handler = std::move(handler),
                      guard = asio::make_work_guard(executor)]() mutable {
      try {
        work();
      } catch (...) {  // Crosses the thread and is rethrown there.
        failure = std::current_exception();
      }
      asio::post(executor, std::move(handler));
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mtc::async
