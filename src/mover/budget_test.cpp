#include "mover/budget.hpp"

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "volume/testing/random_tree.hpp"

namespace mtc::mover {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string refusal_of(const Budget& budget, const std::string& text) {
  try {
    heed(budget, text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Budget, SaysHowMuchAndHowOften) {
  const Budget budget;
  heed(budget, R"({"bytesPerSecond": 5000000, "iops": 20})");
  EXPECT_EQ(budget.bytes->per_second(), 5'000'000);
  heed(budget, R"({"iops": null})");
  EXPECT_EQ(budget.bytes->per_second(), 0);
}

TEST(Budget, LeavesEnoughToShowSignsOfLife) {
  const Budget budget;
  heed(budget, R"({"bytesPerSecond": 1})");
  EXPECT_EQ(budget.bytes->per_second(), kLeastBytesPerSecond);
}

TEST(Budget, WhatIsNoneChangesNothing) {
  const Budget budget;
  heed(budget, R"({"bytesPerSecond": 5000000})");
  for (const auto* bad : {"", "[]", R"({"bytesPerSecond": "5M"})", R"({"bytesPerSecond": 100000, "iops": -1})"}) {
    EXPECT_NE(refusal_of(budget, bad), "") << bad;
    EXPECT_EQ(budget.bytes->per_second(), 5'000'000) << bad;
  }
}

/// Follows a file that is written a moment later, until `heeded` says so.
Task<void> follow_until(Budget budget, std::string file, std::string text, std::vector<std::string>* said,
                        std::function<bool()> heeded) {
  auto scope = co_await async::Scope::create();
  scope.spawn(follow_budget(budget, file, [said](const std::string& message) { said->push_back(message); }));
  co_await async::sleep_for(100ms);
  std::ofstream(file) << text;
  for (int i = 0; i < 3000 && !heeded(); ++i) co_await async::sleep_for(10ms);
  co_await scope.cancel_and_join();
}

TEST(Budget, IsFollowedWhileItChanges) {
  const volume::testing::Folder folder;
  const Budget budget;
  std::vector<std::string> said;
  async::Runtime runtime;
  runtime.run(follow_until(budget, folder / "budget", R"({"bytesPerSecond": 7000000})", &said,
                           [&] { return budget.bytes->per_second() > 0; }));
  EXPECT_EQ(budget.bytes->per_second(), 7'000'000);
  EXPECT_THAT(said, ::testing::IsEmpty());
  runtime.run(follow_until(budget, folder / "damaged", "{", &said, [&] { return !said.empty(); }));
  EXPECT_THAT(said, ::testing::ElementsAre(HasSubstr("the budget is not heeded")));
}

}  // namespace
}  // namespace mtc::mover
