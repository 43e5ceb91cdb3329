#include "migrate/measurement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/json.hpp"

namespace mtc::migrate {
namespace {

Time at(int seconds) { return *parse_rfc3339("2026-01-01T00:00:00Z") + std::chrono::seconds(seconds); }

report::VolumeResult volume(bool succeeded, Json facts) {
  return {{"ns", "a"}, {"ns", "a"}, succeeded, std::move(facts)};
}

/// As a cutover passes, whose volumes go both ways.
Json passed() {
  Json status = Json::object();
  note_passage(status, "InitialBackupCreated", "QuiesceApplications", at(5));
  note_passage(status, "EnsureQuiesced", "CreateDirectVolumeMigration", at(7));
  note_passage(status, "CreateDirectVolumeMigration", "EnsureStageBackup", at(8));
  note_passage(status, "StageRestoreCreated", "WaitForDirectVolumeMigrationToComplete", at(20));
  note_passage(status, "WaitForDirectVolumeMigrationToComplete", "EnsureFinalRestore", at(30));
  return status;
}

TEST(Measurement, NotesWhenTheCopyBeganAndEnded) {
  const auto status = passed();
  EXPECT_EQ(parse_rfc3339(string_at(status, "measured.copyStarted")), at(7));
  EXPECT_EQ(parse_rfc3339(string_at(status, "measured.copyEnded")), at(30)) << "both ways are through";
  EXPECT_EQ(parse_rfc3339(string_at(status, "measured.downSince")), at(5));
}

TEST(Measurement, OfWhatCopiesNothingIsNone) {
  Json status = Json::object();
  note_passage(status, "Started", "StartRefresh", at(0));
  conclude(status, {}, Json::object(), at(9));
  EXPECT_EQ(status, Json::object());
}

TEST(Measurement, PutsTheDowntimeBesideItsForecast) {
  auto status = passed();
  const Json forecast = {{"since", rfc3339(at(5))}, {"downtimeSeconds", 25}};
  conclude(status,
           {volume(true, {{"bytes", 10}, {"movedBytes", 4}, {"verified", true}}),
            volume(true, {{"bytes", 5}, {"movedBytes", 1}, {"verified", true}}), volume(false, {{"moved", true}})},
           forecast, at(45));
  const auto& measured = status["measured"];
  EXPECT_EQ(int_at(measured, "bytes"), 15);
  EXPECT_EQ(int_at(measured, "movedBytes"), 5);
  EXPECT_TRUE(bool_at(measured, "verified"));
  EXPECT_EQ(int_at(measured, "downtimeSeconds"), 40);
  EXPECT_EQ(int_at(measured, "forecastSeconds"), 25);
}

TEST(Measurement, IsNoSumOfSomeVolumes) {
  auto status = passed();
  conclude(status, {volume(true, {{"bytes", 10}, {"movedBytes", 4}}), volume(true, {{"bytes", 5}})}, Json::object(),
           at(45));
  EXPECT_FALSE(status["measured"].contains("movedBytes"));
  EXPECT_FALSE(status["measured"].contains("forecastSeconds"));
  EXPECT_EQ(int_at(status["measured"], "downtimeSeconds"), 40);
}

}  // namespace
}  // namespace mtc::migrate
