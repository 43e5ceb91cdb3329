#include "plan/forecast.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/json.hpp"

namespace mtc::plan {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kMega = 1'000'000;

Time at(int minutes, int seconds = 0) {
  return *parse_rfc3339("2026-01-01T00:00:00Z") + std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
}

Copy copy(std::int64_t moved, int seconds) {
  return {.migration = "m", .started = at(0), .ended = at(0, seconds), .bytes = moved, .moved = moved};
}

/// A migration that copied for so long, beginning at a minute.
Json migration(const std::string& name, int minute, int seconds, std::int64_t moved) {
  return {{"metadata", {{"name", name}, {"creationTimestamp", rfc3339(at(minute))}}},
          {"spec", {{"stage", true}}},
          {"status",
           {{"conditions", Json::array({{{"type", "Succeeded"}, {"status", "True"}}})},
            {"measured",
             {{"copyStarted", rfc3339_micro(at(minute))},
              {"copyEnded", rfc3339_micro(at(minute, seconds))},
              {"bytes", 1000 * kMega},
              {"movedBytes", moved},
              {"verified", false}}}}}};
}

Json cutover(const std::string& name, int minute, int seconds, std::int64_t moved, int down) {
  auto out = migration(name, minute, seconds, moved);
  out["spec"] = {{"stage", false}, {"quiescePods", true}};
  out["status"]["measured"]["downtimeSeconds"] = down;
  out["status"]["measured"]["forecastSeconds"] = 20;
  return out;
}

Json rollback(const std::string& name, int minute) {
  auto out = migration(name, minute, 0, 0);
  out["spec"] = {{"rollback", true}};
  out["status"].erase("measured");
  return out;
}

TEST(Fit, TellsWhatIsFixedFromWhatGrowsWithTheBytes) {
  const auto line = fit({copy(1000, 110), copy(100, 20), copy(0, 10)});
  EXPECT_NEAR(line.fixed, 10, 1e-9);
  EXPECT_NEAR(line.per_byte, 0.1, 1e-9);
}

TEST(Fit, KnowsOnlyTheMeanWhereNothingTellsThePartsApart) {
  EXPECT_EQ(fit({}).seconds(1000), 0);
  EXPECT_EQ(fit({copy(1000, 40)}).seconds(5), 40);
  EXPECT_EQ(fit({copy(7, 10), copy(7, 20)}).seconds(1000), 15);
  EXPECT_EQ(fit({copy(1000, 10), copy(10, 20)}).seconds(1000), 15) << "more bytes do not take less time";
}

TEST(Fit, NeverTakesLessThanNothing) {
  const auto line = fit({copy(100, 1), copy(1000, 100)});
  EXPECT_EQ(line.fixed, 0);
  EXPECT_GT(line.per_byte, 0);
}

TEST(Forecast, OfAPlanThatHasMeasuredNothingIsNone) {
  EXPECT_TRUE(forecast_of({}).is_null());
  auto failed = migration("a", 0, 40, kMega);
  failed["status"]["conditions"][0]["type"] = "Failed";
  auto older = migration("b", 0, 40, kMega);  // by a mover that does not say what it moved
  older["status"]["measured"].erase("movedBytes");
  EXPECT_TRUE(forecast_of({failed, older, rollback("c", 1)}).is_null());
}

TEST(Forecast, FromOneStageSaysSoAndKnowsNoRate) {
  const auto forecast = forecast_of({migration("a", 0, 40, 800 * kMega)});
  EXPECT_EQ(int_at(forecast, "stages"), 1);
  EXPECT_EQ(int_at(forecast, "downtimeSeconds"), 40);
  EXPECT_EQ(int_at(forecast, "lastCopy.bytesPerSecond"), 20 * kMega);
  EXPECT_FALSE(forecast.contains("changedBytesPerHour"));
  EXPECT_FALSE(forecast.contains("downtimeSecondsPerHour"));
  EXPECT_THAT(string_at(forecast, "message"), HasSubstr("From one stage, which moved 800.00 MB in 40s"));
  EXPECT_THAT(string_at(forecast, "message"), HasSubstr("reading the volumes back"));
}

TEST(Forecast, FromTwoStagesKnowsTheRateAndGrowsWithTime) {
  // 10 s and 1 s for each 10 MB; an hour later 100 MB have changed.
  const auto forecast = forecast_of({migration("b", 60, 20, 100 * kMega), migration("a", 0, 110, 1000 * kMega)});
  EXPECT_EQ(string_at(forecast, "lastCopy.migration"), "b");
  EXPECT_EQ(int_at(forecast, "changedBytesPerHour"), 100 * kMega);
  EXPECT_EQ(int_at(forecast, "downtimeSeconds"), 10);
  EXPECT_EQ(int_at(forecast, "downtimeSecondsPerHour"), 10);
  EXPECT_EQ(forecast_at(forecast, at(60, 20)), std::chrono::seconds(10));
  EXPECT_EQ(forecast_at(forecast, at(180, 20)), std::chrono::seconds(30));
  EXPECT_EQ(forecast_at(forecast, at(0)), std::chrono::seconds(10)) << "a clock that went back";
}

TEST(Forecast, TakesInWhatACutoverTookBeyondItsCopy) {
  const std::vector<Json> before = {migration("a", 0, 110, 1000 * kMega), migration("b", 60, 20, 100 * kMega)};
  auto all = before;
  all.push_back(cutover("c", 70, 15, 50 * kMega, 45));  // 15 s by the line, 30 s beyond
  const auto forecast = forecast_of(all);
  EXPECT_EQ(int_at(forecast, "downtimeSeconds"), 40);
  EXPECT_EQ(string_at(forecast, "lastCutover.migration"), "c");
  EXPECT_EQ(int_at(forecast, "lastCutover.downtimeSeconds"), 45);
  EXPECT_EQ(int_at(forecast, "lastCutover.forecastSeconds"), 20);
  EXPECT_THAT(string_at(forecast, "message"), Not(HasSubstr("Not in it")));
}

TEST(Forecast, ARollbackEmptiesTheDestinationSoTheNextStageTellsNoRate) {
  const std::vector<Json> gone = {migration("a", 0, 110, 1000 * kMega), migration("b", 60, 20, 100 * kMega),
                                  cutover("c", 70, 15, 50 * kMega, 45), rollback("d", 80)};
  const auto none = forecast_of(gone);
  EXPECT_FALSE(none.contains("downtimeSeconds"));
  EXPECT_THAT(string_at(none, "message"), HasSubstr("run a stage"));
  EXPECT_EQ(forecast_at(none, at(90)), std::nullopt);
  auto again = gone;
  again.push_back(migration("e", 100, 110, 1000 * kMega));
  const auto one = forecast_of(again);
  EXPECT_FALSE(one.contains("changedBytesPerHour"));
  EXPECT_EQ(int_at(one, "downtimeSeconds"), 140);
}

}  // namespace
}  // namespace mtc::plan
