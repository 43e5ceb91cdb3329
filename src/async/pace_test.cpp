#include "async/pace.hpp"

#include <chrono>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "async/runtime.hpp"

namespace mtc::async {
namespace {

using Seconds = std::chrono::duration<double>;

double seconds_of(const std::function<Task<void>()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  Runtime runtime;
  runtime.run(work());
  return Seconds(std::chrono::steady_clock::now() - begin).count();
}

Task<void> take_often(Pace* pace, int times, std::uint64_t amount) {
  for (int i = 0; i < times; ++i) co_await pace->take(amount);
}

Task<void> set_after(Pace* pace, Duration delay, double rate) {
  co_await sleep_for(delay);
  pace->set(rate);
}

// Only that it is not faster than it may be is certain on a busy machine.
TEST(Pace, TasksKeepItTogether) {
  Pace pace;
  pace.set(1000);
  const auto took = seconds_of([&]() -> Task<void> {
    std::vector<Task<void>> both;
    both.push_back(take_often(&pace, 10, 25));
    both.push_back(take_often(&pace, 10, 25));
    co_await all(std::move(both));
  });
  EXPECT_GE(took, 0.4);  // 500, less the last one and what may be caught up on
}

TEST(Pace, WithoutARateNobodyWaits) {
  Pace pace;
  EXPECT_LT(seconds_of([&] { return take_often(&pace, 1000, 1'000'000'000); }), 60);
}

TEST(Pace, ANewRateIsHeededByWhoWaits) {
  Pace pace;
  pace.set(1);
  const auto took = seconds_of([&]() -> Task<void> {
    std::vector<Task<void>> tasks;
    tasks.push_back(take_often(&pace, 3, 1'000'000));  // for days
    tasks.push_back(set_after(&pace, std::chrono::milliseconds(50), 1e9));
    co_await all(std::move(tasks));
  });
  EXPECT_LT(took, 60);
}

TEST(Pace, ABoundThatIsTakenAwayFreesWhoWaits) {
  Pace pace;
  pace.set(1);
  const auto took = seconds_of([&]() -> Task<void> {
    std::vector<Task<void>> tasks;
    tasks.push_back(take_often(&pace, 3, 1'000'000));
    tasks.push_back(set_after(&pace, std::chrono::milliseconds(50), 0));
    co_await all(std::move(tasks));
  });
  EXPECT_LT(took, 60);
}

}  // namespace
}  // namespace mtc::async
