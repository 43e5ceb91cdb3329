#include "migrate/volumes/budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mtc::migrate::volumes {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kMiB = 1024 * 1024;
constexpr auto kAll = Consumer::kAll;

std::vector<double> bytes_of(double total, const std::vector<Consumer>& consumers) {
  std::vector<double> out;
  for (const auto& share : shares_of({.bytes_per_second = total}, consumers)) out.push_back(share.bytes_per_second);
  return out;
}

TEST(Bounds, AreQuantitiesOfTheHostsSettings) {
  const auto bounds = bounds_in({{"data", {{"MOVER_BYTES_PER_SECOND", "100Mi"}, {"MOVER_IOPS", "500"}}}});
  EXPECT_EQ(bounds, (Bounds{100 * kMiB, 500}));
  EXPECT_FALSE(bounds_in(Json()).any());
  EXPECT_FALSE(bounds_in({{"data", {{"MOVER_BYTES_PER_SECOND", "0"}, {"MOVER_IOPS", ""}}}}).any());
}

TEST(Bounds, ThatWereMistypedAreNotPassedOver) {
  for (const auto* text : {"fast", "50MB", "-3"}) {
    try {
      bounds_in({{"data", {{"MOVER_BYTES_PER_SECOND", text}}}});
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("MOVER_BYTES_PER_SECOND"), HasSubstr(text)));
    }
  }
}

TEST(Bounds, StandInAnAnnotation) {
  EXPECT_EQ(annotation_of({}), "{}");
  EXPECT_EQ(annotation_of({1000.2, 0}), R"({"bytesPerSecond":1001})");
  EXPECT_EQ(bounds_of(annotation_of({5000, 7})), (Bounds{5000, 7}));
  EXPECT_FALSE(bounds_of("damaged").any());
}

TEST(Shares, AreEqualForMigrationsAndWithinEach) {
  EXPECT_THAT(bytes_of(120, {{"a"}, {"a"}, {"b"}}), ElementsAre(30, 30, 60));
}

TEST(Shares, WhatOneDoesNotNeedIsForThoseWhoDo) {
  EXPECT_THAT(bytes_of(100, {{"a", 10}, {"b", kAll}, {"c", kAll}}), ElementsAre(10, 45, 45));
  EXPECT_THAT(bytes_of(100, {{"a", 10}, {"a", kAll}, {"b", 20}}), ElementsAre(10, 70, 20));
}

TEST(Shares, WhatNobodyNeedsIsHandedOutToo) { EXPECT_THAT(bytes_of(100, {{"a", 10}, {"b", 30}}), ElementsAre(40, 60)); }

TEST(Shares, OfReadsAreForThoseWhoRead) {
  const auto shares = shares_of({.iops = 90}, {{"a", kAll, true}, {"b", kAll, false}, {"c", kAll, true}});
  EXPECT_THAT(shares[0].iops, DoubleNear(45, 0.1));
  EXPECT_THAT(shares[1].iops, DoubleNear(0, 0.1));
  EXPECT_EQ(shares[0].bytes_per_second, 0);
}

TEST(Shares, NobodyNeedsNone) { EXPECT_TRUE(shares_of({100, 100}, {}).empty()); }

TEST(Demand, IsAllUnlessAPartWasLeft) {
  EXPECT_EQ(demand_of(9 * kMiB, 10 * kMiB), kAll);
  EXPECT_EQ(demand_of(4 * kMiB, 10 * kMiB), 6 * kMiB);
  EXPECT_GT(demand_of(0, 10 * kMiB), 0);
  EXPECT_EQ(demand_of(5, 0), kAll);  // It was not bounded yet.
}

TEST(Demand, IsReadFromWhatAMoverSays) {
  EXPECT_EQ(rate_of("1.50MB/s"), 1.5 * kMiB);
  EXPECT_EQ(rate_of("2.00kB/s"), 2048);
  for (const auto* none : {"", "fast", "1.5", "-1.00MB/s", "1.00PB/s"}) EXPECT_EQ(rate_of(none), 0) << none;
}

}  // namespace
}  // namespace mtc::migrate::volumes
