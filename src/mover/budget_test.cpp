#include "mover/budget.hpp"

#include <chrono>
#include <fstream>
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

TEST(Budget, IsFollowedWhileItChanges) {
  const volume::testing::Folder folder;
  const Budget budget;
  std::vector<std::string> said;
  const auto follow = [&](const std::string& name, const std::string& text) {
    async::Runtime runtime;
    runtime.run([](Budget heeding, std::string file, std::string what, std::vector<std::string>* into) -> Task<void> {
      auto scope = co_await async::Scope::create();
      scope.spawn(follow_budget(heeding, file, [into](const std::string& message) { into->push_back(message); }));
      co_await async::sleep_for(100ms);
      std::ofstream(file) << what;
      co_await async::sleep_for(2500ms);
      co_await scope.cancel_and_join();
    }(budget, folder / name, text, &said));
  };
  follow("budget", R"({"bytesPerSecond": 7000000})");
  EXPECT_EQ(budget.bytes->per_second(), 7'000'000);
  EXPECT_THAT(said, ::testing::IsEmpty());
  follow("damaged", "{");
  EXPECT_THAT(said, ::testing::ElementsAre(HasSubstr("the budget is not heeded")));
}

}  // namespace
}  // namespace mtc::mover
