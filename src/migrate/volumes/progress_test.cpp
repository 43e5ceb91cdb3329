#include "migrate/volumes/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/yaml.hpp"

namespace mtc::migrate::volumes {
namespace {

const Time kNow = *parse_rfc3339("2026-01-02T03:05:00Z");

Json attempt(int n, std::string_view phase, std::string_view state) {
  const auto number = std::to_string(n);
  return parse_yaml_one(
      "{metadata: {namespace: shop, name: rsync-" + number +
      ", creationTimestamp: '2026-01-02T03:04:00Z', labels: {migration.openshift.io/rsync-attempt: '" + number +
      "'}}, status: {phase: " + std::string(phase) +
      ", containerStatuses: [{name: rsync, state: " + std::string(state) + "}]}}");
}
Json running(int n) { return attempt(n, "Running", "{running: {startedAt: '2026-01-02T03:04:55Z'}}"); }
Json failed(int n) {
  return attempt(n, "Failed",
                 "{terminated: {exitCode: 1, startedAt: '2026-01-02T03:04:10Z', finishedAt: '2026-01-02T03:04:40Z', "
                 "message: '{\"phase\":\"failed\",\"message\":\"reset\",\"percent\":60}'}}");
}

TEST(Progress, ReadsLinesOfMovers) {
  const auto* log =
      "{\"phase\":\"copying\",\"percent\":7,\"rate\":\"1.00MB/s\",\"message\":\"\"}\n"
      "{\"phase\":\"copying\",\"percent\":42,\"rate\":\"12.34MB/s\",\"message\":\"x\"}\n";
  EXPECT_EQ(percent_in(log), "42%");
  EXPECT_EQ(rate_in(log), "12.34MB/s");
  EXPECT_EQ(tail_of(log), "copying\ncopying: x");
}

// BUG 13 of direct-volume.md: real carriage returns, and the oldest value of a line.
TEST(Progress, ReadsLinesOfRsync) {
  EXPECT_EQ(percent_in("  32,768   0%  0.00kB/s\r 5,000  99%   31.21MB/s    0:00:00\n"), "99%");
  EXPECT_EQ(rate_in("  32,768   0%  0.00kB/s\r 5,000  99%   31.21MB/s    0:00:00\n"), "31.21MB/s");
  EXPECT_EQ(percent_in("50% of %, /s"), "50%");
  EXPECT_EQ(rate_in("and/s or .5/s 7./s"), "7./s");
  EXPECT_EQ(percent_in(""), "");
}

TEST(Progress, TellsOfARunningAttempt) {
  const auto status =
      progress_status(Json(), {running(1)}, R"({"phase":"copying","percent":42,"rate":"1.00MB/s"})", kNow);
  EXPECT_EQ(string_at(status, "podName"), "rsync-1");
  EXPECT_EQ(string_at(status, "phase"), "Running");
  EXPECT_EQ(string_at(status, "lastObservedProgressPercent"), "42%");
  EXPECT_EQ(string_at(status, "totalProgressPercentage"), "42%");
  EXPECT_EQ(string_at(status, "containerElapsedTime"), "5s");
  EXPECT_FALSE(status.contains("rsyncPodStatuses"));
  const auto later = progress_status(status, {running(1)}, R"({"phase":"copying","percent":40})", kNow);
  EXPECT_EQ(string_at(later, "lastObservedProgressPercent"), "42%") << "it never goes back";
  EXPECT_EQ(string_at(later, "lastObservedTransferRate"), "1.00MB/s") << "the latest that is known";
}

TEST(Progress, TellsOfTheWayAndWhyOthersFailed) {
  const auto status =
      progress_status(Json(), {running(1)},
                      R"({"phase":"copying","way":"relay","failedWays":["connect to 10.0.0.1:6443: refused"]})", kNow);
  EXPECT_EQ(string_at(status, "way"), "relay");
  EXPECT_THAT(strings_at(status, "failedWays"), testing::ElementsAre("connect to 10.0.0.1:6443: refused"));
  const auto later = progress_status(status, {running(1)}, "", kNow);
  EXPECT_EQ(later["failedWays"], status["failedWays"]) << "its last lines need not tell it";
  const auto again = progress_status(later, {running(1)}, R"({"phase":"copying","way":"10.0.0.1:6443"})", kNow);
  EXPECT_EQ(string_at(again, "way"), "10.0.0.1:6443");
  EXPECT_FALSE(again.contains("failedWays"));
  const auto next = progress_status(status, {failed(1), running(2)}, "", kNow);
  EXPECT_FALSE(next.contains("way")) << "of the attempt before";
}

// BUG 13 of direct-volume.md: percentages and exit codes of one attempt counted for the next.
TEST(Progress, TheNextAttemptBeginsAnew) {
  const auto first = progress_status(Json(), {failed(1)}, "", kNow);
  EXPECT_EQ(int_at(first, "exitCode"), 1);
  EXPECT_EQ(string_at(first, "lastObservedProgressPercent"), "60%");
  EXPECT_EQ(string_at(first, "logMessage"), "failed: reset");
  ASSERT_EQ(array_at(first, "rsyncPodStatuses").size(), 1U);

  const auto second = progress_status(first, {failed(1), running(2)}, R"({"phase":"copying","percent":5})", kNow);
  EXPECT_EQ(string_at(second, "podName"), "rsync-2");
  EXPECT_FALSE(second.contains("exitCode"));
  EXPECT_EQ(string_at(second, "totalProgressPercentage"), "5%");
  EXPECT_EQ(string_at(second, "rsyncElapsedTime"), "35s");
  ASSERT_EQ(array_at(second, "rsyncPodStatuses").size(), 1U);
  EXPECT_EQ(string_at(second["rsyncPodStatuses"][0], "podName"), "rsync-1");
}

TEST(Progress, TheTenthAttemptIsNewerThanTheNinth) {
  const std::vector<Json> pods = {failed(9), running(10)};
  EXPECT_EQ(kube::key_of(*newest(pods)).name, "rsync-10");
}

TEST(Progress, OnceThePodIsGoneWhatWasKnownStays) {
  const auto before = progress_status(Json(), {failed(1)}, "", kNow);
  EXPECT_EQ(progress_status(before, {}, "", kNow), before);
}

}  // namespace
}  // namespace mtc::migrate::volumes
