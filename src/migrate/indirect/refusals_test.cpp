#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/testing/staged_world.hpp"

namespace mtc::migrate::indirect {
namespace {

using namespace std::chrono_literals;
using namespace migrate::testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto& kBackups = kube::types::pod_volume_backups();

TEST(StagedFailures, AVolumeThatIsNotWholeFailsTheMigrationAndSaysWhich) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    co_await w->walk();
    co_await StagedWorld::all_fare(west, "shop", "Succeeded", kBackedUp);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "StageRestoreCreated");
    const auto pods = co_await StagedWorld::pods(east, "boutique");
    EXPECT_THAT(pods, SizeIs(2));
    co_await StagedWorld::fare(east, pods.at(0), "Succeeded", kRestored);
    co_await StagedWorld::fare(east, pods.at(1), "Failed", kDamaged);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "Completed");
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "Failed"));
    EXPECT_THAT(w->errors(),
                Contains(AllOf(HasSubstr("PersistentVolumeClaim boutique/"),
                               HasSubstr("was not restored: Pod boutique/restic-restore-"),
                               HasSubstr("pack 12ab: damaged [a/b]"), HasSubstr("velero/restic/plan-uid/shop"))));
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "ResticErrors"));
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "ResticVerifyErrors"));
    const auto restore = co_await east->get(kube::types::restores(), {api::kNamespace, "m-stage-01234"});
    EXPECT_EQ(string_at(restore.value_or(Json()), "status.phase"), "PartiallyFailed");
    EXPECT_EQ(kube::annotation(restore.value_or(Json()), api::annotations::kRestoreErrors), "1");
    EXPECT_THAT(co_await StagedWorld::pods(east, "boutique"), IsEmpty());
    EXPECT_EQ(kube::label(*co_await west->get(kClaims, {"shop", "data"}), api::labels::kIncludedInStage), "");
  });
}

TEST(StagedFailures, TellsOfMoversThatDoNotStart) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client();
    co_await w->walk();
    for (const auto& pod : co_await StagedWorld::pods(west, "shop")) {
      kube::WriteOptions options;
      options.subresource = "status";
      Json waiting = parse_yaml_one(
          "{status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', "
          "reason: Unschedulable, message: no room}]}}");
      co_await west->patch(kube::types::pods(), kube::key_of(pod), kube::PatchKind::kMerge, waiting, options);
    }
    co_await w->pass();
    EXPECT_THAT(w->progress, Contains(HasSubstr(": Unschedulable: no room")));
    w->clock.time = system_clock().now() + 20min;  // servers date pods by their own clocks
    co_await w->pass();
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "VolumeMoversPending"));
  });
}

TEST(StagedFailures, AForeignClaimOnTheDestinationEndsItBeforeAnythingIsMade) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    co_await east->create(kube::types::namespaces(), parse_yaml_one("{metadata: {name: boutique}}"));
    co_await east->create(kClaims,
                          parse_yaml_one("{metadata: {name: old-logs, namespace: boutique}, spec: {accessModes: "
                                         "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}"));
    co_await w->walk();
    EXPECT_EQ(w->phase(), "Completed");
    EXPECT_EQ(reason_of_failure(w->status), "AnnotateResources") << "the applications still run";
    EXPECT_THAT(w->errors(), Contains(HasSubstr("boutique/old-logs is on the destination already")));
    // One that comes later is not written into, either.
    w->status = {{"itinerary", "Final"}, {"phase", "EnsureStageRestore"}};
    co_await w->walk();
    EXPECT_EQ(reason_of_failure(w->status), "EnsureStageRestore");
    EXPECT_FALSE(co_await east->get(kClaims, {"boutique", "data"}));
    EXPECT_THAT(co_await StagedWorld::pods(west, "shop"), IsEmpty());
  });
}

TEST(StagedFailures, AClaimOfOnePodIsNotReadBehindItsUsersBack) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    const auto west = w->west->client();
    co_await west->remove(kClaims, {"shop", "data"});
    co_await bound_claim(west, "data", "ReadWriteOncePod");
    auto pod = parse_yaml_one(
        "{metadata: {name: web, namespace: shop}, spec: {containers: [{name: c, image: i}], "
        "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}}");
    co_await west->create(kube::types::pods(), pod);
    kube::WriteOptions status;
    status.subresource = "status";
    const Json running = {{"status", {{"phase", "Running"}}}};
    co_await west->patch(kube::types::pods(), {"shop", "web"}, kube::PatchKind::kMerge, running, status);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "Completed");
    EXPECT_THAT(w->errors(),
                Contains(HasSubstr("shop/data of the source is ReadWriteOncePod and Pod shop/web uses it")));
    EXPECT_THAT(co_await StagedWorld::list(west, kBackups), IsEmpty());
  });
}

TEST(StagedFailures, ARepositoryOfAnotherPasswordIsLeftAlone) {
  in_a_world([](StagedWorld* w) -> Task<void> {
    co_await w->walk();
    w->spec["canceled"] = true;
    co_await w->walk();
    const auto west = w->west->client();
    const kube::ListOptions keys{.label_selector = "migration.openshift.io/volume-repository=True"};
    for (const auto& key : co_await kube::list_all(*west, kube::types::secrets(), api::kNamespace, keys))
      co_await west->remove(kube::types::secrets(), kube::key_of(key));
    w->spec.erase("canceled");
    w->status = {{"itinerary", "Final"}, {"phase", "AnnotateResources"}};
    co_await w->walk();
    EXPECT_THAT(w->errors(), Contains(HasSubstr("does not open with the password in Secret "
                                                "openshift-migration/repository-")));
  });
}

}  // namespace
}  // namespace mtc::migrate::indirect
