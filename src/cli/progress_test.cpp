#include "cli/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/kinds.hpp"
#include "json/yaml.hpp"

namespace mtc::cli {
namespace {

using ::testing::ElementsAre;

const Json& running() {
  static const Json migration = parse_yaml_one(R"(
metadata: {name: shop-1}
spec: {migPlanRef: {name: shop}}
status:
  itinerary: Final
  phase: InitialBackupCreated
  conditions:
  - {type: Running, category: Advisory, status: 'True', reason: InitialBackupCreated, message: 'Step: 19/47', lastTransitionTime: '2021-02-02T15:04:09Z'}
  pipeline:
  - {name: Prepare, message: Completed, started: '2021-02-02T15:04:00Z', completed: '2021-02-02T15:04:09Z', progress: [old]}
  - {name: Backup, message: Waiting., started: '2021-02-02T15:04:09Z', progress: ['3 of 7']}
  - {name: DirectImage, message: Skipped, skipped: true}
  - {name: Restore, message: Not started}
)");
  return migration;
}

TEST(Pipeline, SaysHowLongEachStepTookOrTakes) {
  EXPECT_EQ(pipeline_text(running(), *parse_rfc3339("2021-02-02T15:05:19Z")),
            " ✓ Prepare              9s  Completed\n"
            " ▸ Backup            1m10s  Waiting.\n"
            "     3 of 7\n"
            " – DirectImage              Skipped\n"
            "   Restore                  Not started\n");
}

TEST(Pipeline, KnowsNoTimeBeforeAStepBegan) {
  // The controller's clock may be ahead of ours.
  EXPECT_EQ(pipeline_lines(running(), *parse_rfc3339("2021-02-02T15:00:00Z"))[1].text,
            " Backup               0s  Waiting.");
}

TEST(Pipeline, MarksAFailedStep) {
  auto migration = running();
  migration["status"]["pipeline"][1]["failed"] = true;
  const auto line = pipeline_lines(migration, Time{})[1];
  EXPECT_EQ(line.mark, " ✗");
  EXPECT_EQ(line.style, Style::kBad);
}

TEST(EventLog, TellsEachChangeOnce) {
  EventLog log;
  EXPECT_EQ(log.news(running()), "2021-02-02T15:04:09Z Running InitialBackupCreated: Step: 19/47\n");
  EXPECT_EQ(log.news(running()), "");
  auto later = running();
  later["status"]["conditions"][0]["message"] = "Step:\n25/47";
  later["status"]["conditions"][0]["reason"] = "";
  EXPECT_EQ(log.news(later), "2021-02-02T15:04:09Z Running: Step: 25/47\n");
}

TEST(Kinds, ShowAMigrationsResult) {
  EXPECT_THAT(kind_of("migration").cells(running()),
              ElementsAre("shop-1", "shop", "Final", "InitialBackupCreated", "Running"));
}

TEST(Kinds, ShowWhatIsWrong) {
  const auto cluster = parse_yaml_one(
      "{metadata: {name: east}, spec: {url: 'https://e'}, status: {conditions: [{type: TestConnectFailed, category: "
      "Critical, status: 'True'}, {type: Odd, category: Warn, status: 'True'}]}}");
  EXPECT_THAT(kind_of("cluster").cells(cluster), ElementsAre("east", "False", "https://e", "TestConnectFailed"));
  const auto host = parse_yaml_one(
      "{metadata: {name: west}, spec: {isHostCluster: true}, status: {conditions: [{type: Ready, status: 'True'}]}}");
  EXPECT_THAT(kind_of("cluster").cells(host), ElementsAre("west", "True", "(host)", ""));
}

TEST(Kinds, ShowStorageAndPlan) {
  const auto storage = parse_yaml_one(
      "{metadata: {name: s}, spec: {backupStorageProvider: aws, backupStorageConfig: {awsBucketName: b}}}");
  EXPECT_THAT(kind_of("storage").cells(storage), ElementsAre("s", "False", "aws", "b", ""));
  const auto plan = parse_yaml_one(
      "{metadata: {name: p}, spec: {srcMigClusterRef: {name: w}, destMigClusterRef: {name: e}, namespaces: [a, b:c]}}");
  EXPECT_THAT(kind_of("plan").cells(plan), ElementsAre("p", "False", "w", "e", "a,b:c", ""));
}

TEST(Kinds, TellABlockedMigrationFromAWaitingOne) {
  const auto with = [](const char* type) {
    return Json{
        {"status", {{"conditions", Json::array({{{"type", type}, {"category", "Critical"}, {"status", "True"}}})}}}};
  };
  EXPECT_TRUE(is_blocked(with("PlanNotReady")));
  EXPECT_FALSE(is_blocked(with("Postponed")));
  EXPECT_FALSE(is_blocked(running()));
}

}  // namespace
}  // namespace mtc::cli
