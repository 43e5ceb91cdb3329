#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrate/testing/staged_world.hpp"
#include "sandbox/testing/snapshot_kinds.hpp"

namespace mtc::migrate::indirect {
namespace {

using namespace std::chrono_literals;
using namespace migrate::testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto& kSnapshots = kube::types::volume_snapshots();
const auto& kContents = kube::types::volume_snapshot_contents();

/// A claim of the source whose volume is of a driver with snapshots, and a plan that copies it so; its other volume
/// does not travel through the repository. Nobody takes the snapshots: the test says what becomes of them.
struct SnapshotWorld {
  explicit SnapshotWorld(StagedWorld* w) : world(w), west(w->west->client()) {}

  Task<void> prepare() {
    world->plan["spec"]["indirectVolumeMigration"] = false;
    world->plan["spec"]["persistentVolumes"][0]["selection"]["copyMethod"] = "snapshot";
    world->status["phase"] = "EnsureStageBackup";
    world->status["itinerary"] = "Final";
    co_await sandbox::testing::serve_snapshots(west);
    co_await west->create(kube::types::volume_snapshot_classes(), sandbox::testing::snapshot_class("fine", "a.driver"));
    co_await west->create(kube::types::persistent_volumes(),
                          parse_yaml_one("{metadata: {name: pv-1}, spec: {capacity: {storage: 1Gi}, accessModes: "
                                         "[ReadWriteOnce], storageClassName: fast, csi: {driver: a.driver, "
                                         "volumeHandle: h}}}"));
    co_await west->patch(kClaims, {"shop", "data"}, kube::PatchKind::kMerge, {{"spec", {{"volumeName", "pv-1"}}}});
  }

  /// Since the phase began, and the snapshots were made: by the clusters' clock.
  void passes(Duration time) {
    world->clock.time = system_clock().now() + time;
    world->in_phase = time;
  }

  /// Mounted by a pod, and by no other at a time.
  Task<void> use_alone() {
    co_await west->remove(kClaims, {"shop", "data"});
    co_await bound_claim(west, "data", "ReadWriteOncePod");
    co_await west->patch(kClaims, {"shop", "data"}, kube::PatchKind::kMerge, {{"spec", {{"volumeName", "pv-1"}}}});
    co_await west->create(
        kube::types::pods(),
        parse_yaml_one("{metadata: {name: web, namespace: shop}, spec: {containers: [{name: c, "
                       "image: i}], volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}}"));
    kube::WriteOptions options;
    options.subresource = "status";
    const Json running = {{"status", {{"phase", "Running"}}}};
    co_await west->patch(kube::types::pods(), {"shop", "web"}, kube::PatchKind::kMerge, running, options);
  }

  Task<std::vector<Json>> snapshots() { co_return co_await kube::list_all(*west, kSnapshots, "shop"); }
  Task<std::vector<Json>> copies() {
    const kube::ListOptions ours{.label_selector = "app=pod-volume-mover"};
    co_return co_await kube::list_all(*west, kClaims, "shop", ours);
  }
  Task<void> fares(Json snapshot, Json status) {
    kube::WriteOptions options;
    options.subresource = "status";
    const Json patch = {{"status", std::move(status)}};
    co_await west->patch(kSnapshots, kube::key_of(snapshot), kube::PatchKind::kMerge, patch, options);
  }

  StagedWorld* world;
  kube::ClientPtr west;
};

void in_a_snapshot_world(std::function<Task<void>(SnapshotWorld*)> body) {
  in_a_world([body](StagedWorld* w) -> Task<void> {
    return [](std::function<Task<void>(SnapshotWorld*)> run, StagedWorld* world) -> Task<void> {
      SnapshotWorld snapshots(world);
      co_await snapshots.prepare();
      co_await run(&snapshots);
    }(body, w);
  });
}

TEST(StagedSnapshots, AreReadInsteadOfTheClaimAndGoWhenTheyAre) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "EnsureStageBackup");
    const auto taken = co_await s->snapshots();
    EXPECT_THAT(taken, SizeIs(1));
    EXPECT_EQ(string_at(taken.at(0), "spec.volumeSnapshotClassName"), "fine");
    EXPECT_EQ(string_at(taken.at(0), "spec.source.persistentVolumeClaimName"), "data");
    EXPECT_THAT(co_await s->copies(), IsEmpty());
    EXPECT_THAT(s->world->progress, Contains(HasSubstr("of claim shop/data: waiting for its driver")));

    co_await s->fares(taken.at(0), {{"readyToUse", true}, {"restoreSize", "2Gi"}});
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "StageBackupCreated");
    const auto copies = co_await s->copies();
    EXPECT_THAT(copies, SizeIs(1));
    const auto& copy = copies.at(0)["spec"];
    EXPECT_EQ(string_at(copy, "dataSource.name"), kube::key_of(taken.at(0)).name);
    EXPECT_EQ(string_at(copy, "storageClassName"), "fast");
    EXPECT_EQ(string_at(copy, "resources.requests.storage"), "2Gi") << "as much as is in the snapshot";
    const auto pods = co_await StagedWorld::pods(s->west, "shop");
    EXPECT_THAT(pods, SizeIs(1)) << "the other volume travels directly";
    EXPECT_EQ(string_at(array_at(pods.at(0), "spec.volumes").at(0), "persistentVolumeClaim.claimName"),
              kube::key_of(copies.at(0)).name);
    EXPECT_THAT(args_of(pods.at(0)), Contains("shop/data")) << "to the repository it is the claim";

    co_await StagedWorld::all_fare(s->west, "shop", "Succeeded", kBackedUp);
    co_await s->world->pass();
    EXPECT_THAT(co_await s->snapshots(), IsEmpty());
    EXPECT_THAT(co_await s->copies(), IsEmpty());
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "StageRestoreCreated");
  });
}

TEST(StagedSnapshots, ThatNobodyTakesEndTheMigration) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    co_await s->world->walk();
    s->passes(11min);
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "Completed");
    EXPECT_EQ(reason_of_failure(s->world->status), "EnsureStageBackup");
    EXPECT_THAT(s->world->errors(),
                ElementsAre(AllOf(HasSubstr("PersistentVolumeClaim shop/data is not ready to be used after 10m0s"),
                                  HasSubstr("nor driver a.driver"), HasSubstr("kubectl get events -n shop"))));
    EXPECT_THAT(co_await s->snapshots(), IsEmpty());
  });
}

// A controller that was killed before it made the snapshot gives its driver the whole time.
TEST(StagedSnapshots, ThatAreMadeLateHaveTheirTime) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    s->world->clock.time = system_clock().now();
    s->world->in_phase = 3h;
    co_await s->world->walk();
    EXPECT_THAT(co_await s->snapshots(), SizeIs(1));
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "EnsureStageBackup");
  });
}

TEST(StagedSnapshots, ThatFailEndItWithTheDriversWords) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    co_await s->world->walk();
    co_await s->fares((co_await s->snapshots()).at(0), {{"error", {{"message", "out of room"}}}});
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "EnsureStageBackup") << "its driver tries again";
    EXPECT_THAT(s->world->progress, Contains(HasSubstr("out of room")));
    s->passes(11min);
    co_await s->world->walk();
    EXPECT_THAT(s->world->errors(), ElementsAre(HasSubstr("after 10m0s: out of room. ")));
  });
}

// A driver that stores what it has cut can take hours.
TEST(StagedSnapshots, ThatAreCutAreWaitedFor) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    co_await s->world->walk();
    co_await s->fares((co_await s->snapshots()).at(0), {{"creationTime", "2026-01-02T03:04:05Z"}});
    s->passes(3h);
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "EnsureStageBackup");
    EXPECT_TRUE(api::has_condition({{"status", s->world->status}}, "VolumeSnapshotsPending"));
  });
}

TEST(StagedSnapshots, GoWithACancelAndSoDoesWhatTheirClassWouldKeep) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    co_await s->world->walk();
    const auto taken = (co_await s->snapshots()).at(0);
    const auto content = [&](const char* name, const std::string& uid) -> Json {
      return {{"metadata", {{"name", name}}},
              {"spec", {{"deletionPolicy", "Retain"}, {"volumeSnapshotRef", {{"uid", uid}}}}}};
    };
    co_await s->west->create(kContents, content("its-own", kube::uid_of(taken)));
    co_await s->west->create(kContents, content("another", "of-somebody"));
    co_await s->fares(taken, {{"boundVolumeSnapshotContentName", "its-own"}});
    s->world->spec["canceled"] = true;
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "Completed");
    EXPECT_THAT(co_await s->snapshots(), IsEmpty());
    EXPECT_EQ(string_at(*co_await s->west->get(kContents, {"", "its-own"}), "spec.deletionPolicy"), "Delete");
    EXPECT_EQ(string_at(*co_await s->west->get(kContents, {"", "another"}), "spec.deletionPolicy"), "Retain");
  });
}

TEST(StagedSnapshots, AreTakenAlsoOfAClaimThatOnePodAloneMayMount) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    co_await s->use_alone();
    co_await s->world->walk();
    co_await s->fares((co_await s->snapshots()).at(0), {{"readyToUse", true}});
    co_await s->world->walk();
    EXPECT_EQ(s->world->phase(), "StageBackupCreated");
    EXPECT_THAT(co_await StagedWorld::pods(s->west, "shop"), SizeIs(2)) << "the application's, and the mover";
    EXPECT_THAT(s->world->errors(), IsEmpty());
  });
}

TEST(StagedSnapshots, NeedAClassOfTheirDriver) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    co_await s->west->remove(kube::types::volume_snapshot_classes(), {"", "fine"});
    co_await s->world->walk();
    EXPECT_THAT(s->world->errors(),
                ElementsAre(HasSubstr("no VolumeSnapshotClass for its driver `a.driver` any more")));
  });
}

// What a killed controller left behind goes before the next migration begins, and nothing of others.
TEST(StagedSnapshots, OfAnEarlierMigrationGo) {
  in_a_snapshot_world([](SnapshotWorld* s) -> Task<void> {
    co_await s->world->walk();
    co_await s->fares((co_await s->snapshots()).at(0), {{"readyToUse", true}});
    co_await s->world->walk();
    auto theirs = (co_await s->snapshots()).at(0);
    theirs["metadata"] = {{"namespace", "shop"}, {"name", "theirs"}};
    co_await s->west->create(kSnapshots, theirs);
    s->world->uid = "9876543210";
    s->world->status = {{"itinerary", "Final"}, {"phase", "CleanStaleStagePods"}};
    co_await s->world->walk("WaitForVeleroReady");
    EXPECT_THAT(co_await s->copies(), IsEmpty());
    const auto left = co_await s->snapshots();
    EXPECT_THAT(left, SizeIs(1));
    EXPECT_EQ(kube::key_of(left.at(0)).name, "theirs");
  });
}

}  // namespace
}  // namespace mtc::migrate::indirect
