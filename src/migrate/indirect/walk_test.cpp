#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/testing/staged_world.hpp"

namespace mtc::migrate::indirect {
namespace {

using namespace std::chrono_literals;
using namespace migrate::testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto& kBackups = kube::types::pod_volume_backups();
const auto& kRestores = kube::types::pod_volume_restores();

TEST(StagedWalk, CarriesEveryClaimAndLeavesNothingBehind) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    w->at_once = 1;
    w->status["phase"] = "AnnotateResources";
    co_await w->walk("EnsureStageBackup");  // without the rows of a quiesce, which the flags leave out
    EXPECT_EQ(kube::label(*co_await west->get(kClaims, {"shop", "data"}), api::labels::kIncludedInStage), w->uid);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "StageBackupCreated");
    auto sent = co_await StagedWorld::pods(west, "shop");
    EXPECT_THAT(sent, SizeIs(1)) << "one at a time was asked for";
    EXPECT_THAT(args_of(sent.at(0)), Contains("cutover"));
    EXPECT_THAT(w->progress, Contains(HasSubstr("Waiting for ongoing volume backup(s) to complete")));
    EXPECT_TRUE(co_await w->store->head("velero/restic/plan-uid/shop/config"));

    co_await StagedWorld::all_fare(west, "shop", "Succeeded", kBackedUp);
    co_await w->walk();
    EXPECT_THAT(co_await StagedWorld::pods(west, "shop"), SizeIs(2)) << "the next one's turn";
    EXPECT_FALSE(co_await w->store->head("velero/backups/m-stage-01234/velero-backup.json")) << "not all is there yet";
    co_await StagedWorld::all_fare(west, "shop", "Succeeded", kBackedUp);
    co_await w->walk();

    EXPECT_EQ(w->phase(), "StageRestoreCreated");
    EXPECT_TRUE(co_await w->store->head("velero/backups/m-stage-01234/velero-backup.json"));
    EXPECT_THAT(co_await StagedWorld::pods(west, "shop"), IsEmpty()) << "movers of the source are not needed any more";
    const kube::ListOptions keys{.label_selector = "app=pod-volume-mover"};
    EXPECT_THAT(co_await kube::list_all(*west, kube::types::secrets(), "shop", keys), IsEmpty());
    const auto backup = co_await east->get(kube::types::backups(), {api::kNamespace, "m-stage-01234"});
    EXPECT_EQ(string_at(backup.value_or(Json()), "status.phase"), "Completed");
    const auto claim = co_await east->get(kClaims, {"boutique", "old-logs"});
    EXPECT_EQ(kube::label(claim.value_or(Json()), api::labels::kMigratedByPlan), "plan-uid");
    EXPECT_EQ(kube::label(claim.value_or(Json()), api::labels::kIncludedInStage), "");
    for (int i = 0; i < 2; ++i) {
      for (const auto& pod : co_await StagedWorld::pods(east, "boutique"))
        EXPECT_THAT(args_of(pod), ::testing::IsSupersetOf({std::string(64, 'a'), std::string("--verify")}));
      co_await StagedWorld::all_fare(east, "boutique", "Succeeded", kRestored);
      co_await w->walk("EnsureInitialBackupReplicated");
    }
    EXPECT_EQ(w->phase(), "EnsureInitialBackupReplicated");
    EXPECT_THAT(co_await StagedWorld::pods(east, "boutique"), IsEmpty());
    EXPECT_THAT(co_await kube::list_all(*east, kube::types::secrets(), "boutique", keys), IsEmpty());
    EXPECT_EQ(kube::label(*co_await west->get(kClaims, {"shop", "data"}), api::labels::kIncludedInStage), "");
    for (const auto& object : co_await StagedWorld::list(west, kBackups)) {
      EXPECT_EQ(string_at(object, "status.phase"), "Completed");
      EXPECT_EQ(int_at(object, "status.progress.bytesDone"), 1200);
    }
    EXPECT_THAT(co_await StagedWorld::list(east, kRestores), SizeIs(2));
    EXPECT_FALSE(dump(w->status).contains("store-key"));
  });
}

// Nothing shows more than that the mover is gone: the object says which attempt it was, and the next one follows.
TEST(StagedWalk, AKilledMoverIsFollowedByAnother) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client();
    w->at_once = 1;
    co_await w->walk();
    co_await StagedWorld::all_fare(west, "shop", "Failed", "");
    w->clock.time += 1min;
    co_await w->walk();
    const auto pods = co_await StagedWorld::pods(west, "shop");
    EXPECT_THAT(pods, SizeIs(2));
    std::set<std::string> attempts;
    for (const auto& pod : pods) attempts.insert(kube::label(pod, api::labels::kAttempt));
    EXPECT_THAT(attempts, ElementsAre("1", "2"));
    for (const auto& pod : pods) co_await west->remove(kube::types::pods(), kube::key_of(pod));
    co_await w->walk();
    const auto again = co_await StagedWorld::pods(west, "shop");
    EXPECT_THAT(again, SizeIs(1)) << "one that was taken away comes back";
  });
}

// What a stage had to leave out is told, also if the pod that said so is gone by the time the last claim is done, and
// still told when the restore has something of its own to tell.
TEST(StagedWalk, LossesAreOnRecord) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client();
    w->at_once = 1;
    co_await w->walk();
    const auto first = co_await StagedWorld::pods(west, "shop");
    co_await StagedWorld::all_fare(
        west, "shop", "Succeeded",
        R"({"phase":"done","snapshot":")" + std::string(64, 'a') + R"(","skipped":["busy"],"notes":["no times"]})");
    co_await w->walk();
    co_await west->remove(kube::types::pods(), kube::key_of(first.at(0)));
    co_await StagedWorld::all_fare(west, "shop", "Succeeded", kBackedUp);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "StageRestoreCreated");
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "VolumeFilesSkipped"));
    EXPECT_THAT(dump(w->status), HasSubstr(": busy"));
    for (int i = 0; i < 2; ++i) {
      co_await StagedWorld::all_fare(
          w->east->client(), "boutique", "Succeeded",
          R"({"phase":"done","bytes":1200,"movedBytes":7,"bytesTotal":1200,"verified":true,"notes":["no owners"]})");
      co_await w->walk("EnsureInitialBackupReplicated");
    }
    EXPECT_EQ(w->status["measured"].contains("copyStarted"), true);
    EXPECT_EQ(w->status["measured"].contains("copyEnded"), true);
    for (const auto& restored : co_await StagedWorld::list(w->east->client(), kube::types::pod_volume_restores()))
      EXPECT_THAT(kube::annotation(restored, api::annotations::kVolumeResult), HasSubstr(R"("movedBytes":7)"));
    EXPECT_EQ(w->phase(), "EnsureInitialBackupReplicated");
    for (const auto* lost : {"shop/data: busy", "shop/data: no times", "shop/data: no owners", "shop/logs: no owners"})
      EXPECT_THAT(dump(w->status), HasSubstr(lost));
  });
}

// BUG 14 of migration.md: objects of other users of Velero are deleted as well.
TEST(StagedWalk, UnfinishedObjectsOfMigrationsThatAreOverGoAndNoOthers) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client();
    const auto make = [&](const char* name, const char* phase, const char* host) -> Json {
      Json object = {{"metadata", {{"namespace", api::kNamespace}, {"name", name}}}, {"status", {{"phase", phase}}}};
      if (host != nullptr)
        object["metadata"]["labels"] = {{api::labels::kMigratedByMigration, "gone"}, {api::labels::kController, host}};
      return object;
    };
    for (const auto& object : {make("stale", "InProgress", "this-host"), make("done", "Completed", "this-host"),
                               make("other-host", "InProgress", "another"), make("foreign", "New", nullptr)})
      co_await west->create(kBackups, object);
    w->status["phase"] = "CleanStaleResticCRs";
    co_await w->pass();
    std::set<std::string> left;
    for (const auto& object : co_await StagedWorld::list(west, kBackups)) left.insert(kube::key_of(object).name);
    EXPECT_THAT(left, ElementsAre("done", "foreign", "other-host"));
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "StaleResticCRsDeleted"));
  });
}

TEST(StagedWalk, ACancelEndsWhatRunsAndTakesItsObjects) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client();
    co_await w->walk();
    EXPECT_THAT(co_await StagedWorld::list(west, kBackups), SizeIs(2));
    w->spec["canceled"] = true;
    co_await w->walk();
    EXPECT_EQ(w->phase(), "Completed");
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "Canceled"));
    EXPECT_THAT(co_await StagedWorld::pods(west, "shop"), IsEmpty());
    EXPECT_THAT(co_await StagedWorld::list(west, kBackups), IsEmpty());
    EXPECT_THAT(co_await StagedWorld::list(west, kube::types::backups()), IsEmpty());
    EXPECT_EQ(kube::label(*co_await west->get(kClaims, {"shop", "data"}), api::labels::kIncludedInStage), "");
    EXPECT_TRUE(co_await w->store->head("velero/restic/plan-uid/shop/config")) << "the next one goes on from there";
  });
}

}  // namespace
}  // namespace mtc::migrate::indirect
