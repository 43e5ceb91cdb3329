#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

#include "async/retry.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::async {
namespace {

using namespace std::chrono_literals;

Task<void> add_after(Duration delay, int* sum, int value) {
  co_await sleep_for(delay);
  *sum += value;
}

Task<void> fail_after(Duration delay) {
  co_await sleep_for(delay);
  throw Error(Code::kUnavailable, "gone");
}

Task<void> wait_for_ever(bool* cancelled) {
  try {
    co_await sleep_for(1h);
  } catch (...) {
    *cancelled = is_cancellation(std::current_exception());
    throw;
  }
}

template <typename Thrown>
std::exception_ptr caught(Thrown thrown) {
  return std::make_exception_ptr(std::move(thrown));
}

TEST(AsError, KeepsErrorsReportsBugsAndLetsCancellationsPass) {
  EXPECT_EQ(as_error(caught(Error(Code::kUnavailable, "gone"))).code(), Code::kUnavailable);
  const auto bug = as_error(caught(std::out_of_range("index 3")));
  EXPECT_EQ(bug.code(), Code::kInternal);
  EXPECT_NE(std::string(bug.what()).find("index 3"), std::string::npos);
  const boost::system::system_error cancellation(boost::asio::error::operation_aborted);
  EXPECT_THROW(as_error(caught(cancellation)), boost::system::system_error);
}

TEST(Runtime, RunsATaskAndRethrows) {
  Runtime runtime;
  EXPECT_THROW(runtime.run(fail_after(1ms)), Error);
  int sum = 0;
  runtime.run(add_after(1ms, &sum, 2));
  EXPECT_EQ(sum, 2);
}

TEST(Runtime, OffloadsBlockingWorkToAnotherThread) {
  Runtime runtime;
  runtime.run([]() -> Task<void> {
    const auto here = std::this_thread::get_id();
    const auto there = co_await offload([] { return std::this_thread::get_id(); });
    EXPECT_NE(here, there);
    EXPECT_EQ(here, std::this_thread::get_id());
    bool caught = false;
    try {
      co_await offload([] { throw Error(Code::kInternal, "from the pool"); });
    } catch (const Error&) {
      caught = true;
    }
    EXPECT_TRUE(caught);
  }());
}

TEST(Scope, JoinsAllChildren) {
  Runtime runtime;
  int sum = 0;
  runtime.run([](int* out) -> Task<void> {
    auto scope = co_await Scope::create();
    for (int i = 1; i <= 10; ++i) scope.spawn(add_after(1ms, out, i));
    co_await scope.join();
  }(&sum));
  EXPECT_EQ(sum, 55);
}

TEST(Scope, AFailureCancelsTheSiblingsAndIsRethrown) {
  Runtime runtime;
  bool cancelled = false;
  auto main = [](bool* out) -> Task<void> {
    auto scope = co_await Scope::create();
    scope.spawn(wait_for_ever(out));
    scope.spawn(fail_after(1ms));
    co_await scope.join();
  };
  EXPECT_THROW(runtime.run(main(&cancelled)), Error);
  EXPECT_TRUE(cancelled);
}

TEST(Scope, AnIsolatedFailureTouchesNobodyElse) {
  Runtime runtime;
  int sum = 0, failures = 0;
  runtime.run([](int* out, int* failed) -> Task<void> {
    auto scope = co_await Scope::create();
    scope.spawn_isolated(fail_after(1ms), [failed](const std::exception_ptr&) { ++*failed; });
    scope.spawn(add_after(5ms, out, 1));
    co_await scope.join();
  }(&sum, &failures));
  EXPECT_EQ(sum, 1);
  EXPECT_EQ(failures, 1);
}

TEST(Scope, ACancelledParentCancelsAndAwaitsItsChildren) {
  Runtime runtime;
  bool inner = false;
  runtime.run([](bool* out) -> Task<void> {
    auto outer = co_await Scope::create();
    auto parent = [](bool* cancelled) -> Task<void> {
      auto scope = co_await Scope::create();
      scope.spawn(wait_for_ever(cancelled));
      co_await scope.join();
    };
    outer.spawn(parent(out));
    co_await sleep_for(2ms);
    co_await outer.cancel_and_join();
  }(&inner));
  EXPECT_TRUE(inner);
}

TEST(Scope, CleanUpCanAwaitAfterACancellation) {
  Runtime runtime;
  bool cleaned = false;
  runtime.run([](bool* out) -> Task<void> {
    auto scope = co_await Scope::create();
    auto child = [](bool* done) -> Task<void> {
      auto inner = co_await Scope::create();
      bool ignored = false;
      inner.spawn(wait_for_ever(&ignored));
      std::exception_ptr failure;
      try {
        co_await sleep_for(1h);
      } catch (...) {
        failure = std::current_exception();
      }
      co_await inner.cancel_and_join();
      *done = inner.running() == 0;
      std::rethrow_exception(failure);
    };
    scope.spawn(child(out));
    co_await sleep_for(2ms);
    co_await scope.cancel_and_join();
  }(&cleaned));
  EXPECT_TRUE(cleaned);
}

TEST(Timeout, CancelsWhatIsLateAndNamesIt) {
  Runtime runtime;
  bool cancelled = false;
  std::string text;
  runtime.run([](bool* out, std::string* message) -> Task<void> {
    try {
      co_await with_timeout(5ms, "list pods", wait_for_ever(out));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kTimeout);
      *message = error.what();
    }
  }(&cancelled, &text));
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(text, "list pods: no answer within 5 ms");
}

TEST(Timeout, LeavesWhatIsInTimeAlone) {
  Runtime runtime;
  runtime.run([]() -> Task<void> {
    auto quick = []() -> Task<int> {
      co_await sleep_for(1ms);
      co_return 7;
    };
    EXPECT_EQ(co_await with_timeout(1h, "quick", quick()), 7);
    EXPECT_THROW(co_await with_timeout(1h, "failing", fail_after(1ms)), Error);
  }());
}

TEST(Event, WakesAllWaiters) {
  Runtime runtime;
  int sum = 0;
  runtime.run([](int* out) -> Task<void> {
    Event event;
    auto waiter = [](Event* e, int* s) -> Task<void> {
      co_await e->wait();
      ++*s;
    };
    auto scope = co_await Scope::create();
    scope.spawn(waiter(&event, out));
    scope.spawn(waiter(&event, out));
    co_await yield();
    EXPECT_FALSE(co_await event.wait_for(1ms));
    event.set();
    EXPECT_TRUE(co_await event.wait_for(1h));
    co_await scope.join();
  }(&sum));
  EXPECT_EQ(sum, 2);
}

TEST(Semaphore, BoundsHowManyRunAtOnce) {
  Runtime runtime;
  runtime.run([]() -> Task<void> {
    Semaphore semaphore(2);
    int running = 0, most = 0;
    auto work = [](Semaphore* s, int* now, int* peak) -> Task<void> {
      auto permit = co_await s->acquire();
      *peak = std::max(*peak, ++*now);
      co_await sleep_for(1ms);
      --*now;
    };
    auto scope = co_await Scope::create();
    for (int i = 0; i < 8; ++i) scope.spawn(work(&semaphore, &running, &most));
    co_await scope.join();
    EXPECT_EQ(most, 2);
  }());
}

TEST(Semaphore, PassesAPermitOnThatCameToACancelledTask) {
  Runtime runtime;
  runtime.run([]() -> Task<void> {
    Semaphore semaphore(1);
    bool served = false;
    auto work = [](Semaphore* s, bool* done) -> Task<void> {
      const auto permit = co_await s->acquire();
      *done = true;
    };
    auto first = co_await Scope::create();
    auto second = co_await Scope::create();
    {
      const auto permit = co_await semaphore.acquire();
      bool unused = false;
      first.spawn(work(&semaphore, &unused));
      co_await yield();
      second.spawn(work(&semaphore, &served));
      co_await yield();
    }
    co_await first.cancel_and_join();
    co_await with_timeout(1s, "the second", second.join());
    EXPECT_TRUE(served);
  }());
}

TEST(ParallelFor, VisitsEachIndexOnceWithinItsWidth) {
  Runtime runtime;
  std::vector<int> seen(20, 0);
  runtime.run([](std::vector<int>* out) -> Task<void> {
    auto visit = [out](std::size_t i) -> Task<void> {
      auto mark = [](std::vector<int>* all_seen, std::size_t at) -> Task<void> {
        co_await yield();
        ++(*all_seen)[at];
      };
      return mark(out, i);
    };
    co_await parallel_for(20, 3, visit);
  }(&seen));
  EXPECT_EQ(seen, std::vector<int>(20, 1));
}

TEST(Retry, TriesTransientFailuresAgainAndPermanentOnesNot) {
  Runtime runtime;
  runtime.run([]() -> Task<void> {
    int calls = 0;
    auto twice = [&calls]() -> Task<int> {
      auto attempt = [](int* n) -> Task<int> {
        if (++*n < 3) throw Error(Code::kUnavailable, "not yet");
        co_return *n;
      };
      return attempt(&calls);
    };
    EXPECT_EQ(co_await retry<int>({.base = 1us, .cap = 10us}, twice), 3);

    calls = 0;
    auto denied = [&calls]() -> Task<void> {
      auto attempt = [](int* n) -> Task<void> {
        ++*n;
        throw Error(Code::kForbidden, "no");
        co_return;
      };
      return attempt(&calls);
    };
    EXPECT_THROW(co_await retry_void({.base = 1us}, denied), Error);
    EXPECT_EQ(calls, 1);
  }());
}

}  // namespace
}  // namespace mtc::async
