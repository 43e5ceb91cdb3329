#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "async/runtime.hpp"
#include "json/yaml.hpp"
#include "migrate/moved/manifests.hpp"
#include "migrate/testing/test_clock.hpp"
#include "plan/checks.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::migrate::moved {
namespace {

using namespace std::chrono_literals;
using migrate::testing::TestClock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto& kVolumes = kube::types::persistent_volumes();
const auto& kClaims = kube::types::persistent_volume_claims();

/// Two clusters, of which the test is the controller that binds claims, and a plan that moves shop/data to
/// boutique/files.
struct World {
  std::unique_ptr<sandbox::Cluster> west, east;
  TestClock clock;
  api::Conditions conditions{Json(), clock};
  Migration m;

  Task<void> prepare() {
    west = co_await sandbox::Cluster::start({.name = "west", .run_workloads = false});
    east = co_await sandbox::Cluster::start({.name = "east", .run_workloads = false});
    m.host = m.source = west->client();
    m.destination = east->client();
    m.clock = &clock;
    m.conditions = &conditions;
    m.phase_since = clock.now();
    m.flags.quiesce = true;
    m.self.uid = "migration-uid";
    m.plan_object = parse_yaml_one(R"(
      metadata: {name: hello, namespace: openshift-migration, uid: plan-uid}
      spec:
        namespaces: ["shop:boutique"]
        persistentVolumes:
        - {name: pv-1, pvc: {namespace: shop, name: "data:files"}, selection: {action: move}})");
    m.plan = api::MigPlan::parse(m.plan_object);
    for (const auto* ns : {"shop", "boutique"}) {
      const Json object = {{"metadata", {{"name", ns}}}};
      co_await (ns == std::string("shop") ? m.source : m.destination)->create(kube::types::namespaces(), object);
    }
    co_await m.source->create(kVolumes, parse_yaml_one(R"(
      metadata:
        name: pv-1
        labels: {zone: a, migration-included-stage-backup: x}
        annotations: {pv.kubernetes.io/provisioned-by: csi.example.com, pv.kubernetes.io/bound-by-controller: "yes"}
      spec:
        capacity: {storage: 2Gi}
        accessModes: [ReadWriteMany]
        persistentVolumeReclaimPolicy: Delete
        storageClassName: shared
        mountOptions: [hard]
        claimRef: {namespace: shop, name: data, uid: u, resourceVersion: "1"}
        nfs: {server: s, path: /exports/1})"));
    co_await m.source->create(kClaims, parse_yaml_one(R"(
      metadata: {name: data, namespace: shop, labels: {app: web}}
      spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}, volumeName: pv-1})"));
    co_await phase(m.source, kVolumes, {"", "pv-1"}, "Bound");
  }

  Task<void> phase(kube::ClientPtr cluster, kube::ResourceType type, kube::ObjectKey key, std::string word) {
    const Json status = {{"status", {{"phase", word}}}};
    co_await cluster->patch(type, key, kube::PatchKind::kMerge, status, {.subresource = "status"});
  }
  Task<void> bind_on_destination() {
    co_await phase(m.destination, kVolumes, {"", "pv-1"}, "Bound");
    co_await phase(m.destination, kClaims, {"boutique", "files"}, "Bound");
  }
  Task<void> pod(kube::ClientPtr cluster, std::string ns, std::string claim) {
    auto object = parse_yaml_one("{metadata: {name: loose}, spec: {containers: [{name: c, image: i}]}}");
    object["metadata"]["namespace"] = ns;
    object["spec"]["volumes"] = {{{"name", "v"}, {"persistentVolumeClaim", {{"claimName", claim}}}}};
    co_await cluster->create(kube::types::pods(), object);
  }

  static Task<std::string> policy(kube::ClientPtr cluster) {
    const auto volume = co_await kube::must_get(*cluster, kVolumes, {"", "pv-1"});
    co_return string_at(volume, "spec.persistentVolumeReclaimPolicy") + "/" +
        kube::annotation(volume, api::annotations::kReclaimPolicy) + "/" +
        kube::label(volume, api::labels::kMovedByPlan);
  }
};

void in_a_world(std::function<Task<void>(World*)> body) {
  async::Runtime().run([](std::function<Task<void>(World*)> run) -> Task<void> {
    World world;
    co_await world.prepare();
    co_await run(&world);
    co_await world.west->stop();
    co_await world.east->stop();
  }(std::move(body)));
}

TEST(MovedVolumes, TheTwinIsTheSameStorageForTheTargetClaim) {
  in_a_world([](World* w) -> Task<void> {
    co_await retain_on_source(w->m);
    EXPECT_EQ((co_await bind(w->m)).reasons, std::vector<std::string>{});
    const auto twin = co_await kube::must_get(*w->m.destination, kVolumes, {"", "pv-1"});
    const auto& spec = twin["spec"];
    EXPECT_EQ(string_at(spec, "nfs.path"), "/exports/1");
    EXPECT_EQ(string_at(spec, "capacity.storage"), "2Gi");
    EXPECT_EQ(strings_at(spec, "mountOptions"), std::vector<std::string>{"hard"});
    EXPECT_EQ(string_at(spec, "persistentVolumeReclaimPolicy"), "Retain");
    EXPECT_EQ(claim_of(twin).str(), "boutique/files");
    EXPECT_EQ(string_at(spec, "claimRef.uid"), "") << "that of the source's claim binds nothing here";
    EXPECT_EQ(kube::label(twin, "zone"), "a");
    EXPECT_EQ(kube::label(twin, api::labels::kIncludedInStage), "");
    EXPECT_EQ(kube::annotation(twin, "pv.kubernetes.io/provisioned-by"), "csi.example.com");
    EXPECT_EQ(kube::annotation(twin, "pv.kubernetes.io/bound-by-controller"), "");
    const auto claim = co_await kube::must_get(*w->m.destination, kClaims, {"boutique", "files"});
    EXPECT_EQ(string_at(claim, "spec.volumeName"), "pv-1");
    EXPECT_EQ(string_at(claim, "spec.storageClassName"), "shared");
    EXPECT_EQ(string_at(claim, "spec.resources.requests.storage"), "1Gi");
    EXPECT_EQ(kube::label(claim, "app"), "web");
    EXPECT_EQ(kube::label(claim, api::labels::kMigratedByPlan), "plan-uid") << "so that a rollback finds it";
  });
}

TEST(MovedVolumes, NothingIsDeletedWhileBothClustersHaveIt) {
  in_a_world([](World* w) -> Task<void> {
    for (int i = 0; i < 2; ++i) {  // as a controller does that was killed
      co_await retain_on_source(w->m);
      EXPECT_EQ(co_await World::policy(w->m.source), "Retain/Delete/plan-uid");
    }
    for (int i = 0; i < 2; ++i) {
      EXPECT_THAT((co_await bind(w->m)).reasons, IsEmpty());
      EXPECT_EQ(co_await World::policy(w->m.destination), "Retain/Delete/");
    }
    co_await w->bind_on_destination();
    for (int i = 0; i < 2; ++i) {
      co_await hand_over(w->m);
      EXPECT_EQ(co_await World::policy(w->m.destination), "Delete//");
      EXPECT_EQ(co_await World::policy(w->m.source), "Retain/Delete/plan-uid");
    }
    EXPECT_EQ((co_await retain_on_destination(w->m)).kind, Outcome::Kind::kDone);
    EXPECT_EQ(co_await World::policy(w->m.destination), "Retain/Delete/");
  });
}

// A cancel leads back to where its migration began, and not beyond.
TEST(MovedVolumes, WhatAnEarlierMigrationHasHandedOverIsLeftAlone) {
  in_a_world([](World* w) -> Task<void> {
    co_await retain_on_source(w->m);
    co_await bind(w->m);
    w->m.self.uid = "second-try";
    co_await bind(w->m);
    co_await w->bind_on_destination();
    co_await hand_over(w->m);
    EXPECT_THAT(co_await handed_over_before(w->m), IsEmpty()) << "the second took up what the first had left";
    w->m.self.uid = "later";
    EXPECT_THAT((co_await bind(w->m)).reasons, IsEmpty());
    EXPECT_EQ(co_await World::policy(w->m.destination), "Delete//");
    EXPECT_THAT(co_await handed_over_before(w->m), ElementsAre("pv-1"));
  });
}

TEST(MovedVolumes, AVolumeThatAlwaysWasRetainedStaysSo) {
  in_a_world([](World* w) -> Task<void> {
    const Json retain = {{"spec", {{"persistentVolumeReclaimPolicy", "Retain"}}}};
    co_await w->m.source->patch(kVolumes, {"", "pv-1"}, kube::PatchKind::kMerge, retain);
    co_await retain_on_source(w->m);
    EXPECT_EQ(co_await World::policy(w->m.source), "Retain/Retain/plan-uid");
    EXPECT_EQ((co_await take_back(w->m)).kind, Outcome::Kind::kDone);
    EXPECT_EQ(co_await World::policy(w->m.source), "Retain//");
  });
}

TEST(MovedVolumes, TheSourceGetsItBackWhenNothingIsLeftOnTheDestination) {
  in_a_world([](World* w) -> Task<void> {
    co_await retain_on_source(w->m);
    co_await bind(w->m);
    co_await w->bind_on_destination();
    co_await hand_over(w->m);
    // A pod holds it, as its finalizer has it.
    const Json held = {{"metadata", {{"finalizers", {"kubernetes.io/pvc-protection"}}}}};
    co_await w->m.destination->patch(kClaims, {"boutique", "files"}, kube::PatchKind::kMerge, held);
    w->m.plan.persistent_volumes = Json::array();  // the source's namespace may be gone
    EXPECT_EQ((co_await take_back(w->m)).kind, Outcome::Kind::kWait);
    EXPECT_EQ(co_await World::policy(w->m.source), "Retain/Delete/plan-uid");
    EXPECT_EQ(co_await World::policy(w->m.destination), "Retain/Delete/");
    w->clock.time += 16min;
    EXPECT_THAT((co_await take_back(w->m)).reasons,
                ElementsAre(HasSubstr("[boutique/files] of the destination are not")));
    const Json freed = {{"metadata", {{"finalizers", nullptr}}}};
    co_await w->m.destination->patch(kClaims, {"boutique", "files"}, kube::PatchKind::kMerge, freed);
    EXPECT_EQ((co_await take_back(w->m)).kind, Outcome::Kind::kDone);
    EXPECT_FALSE(co_await w->m.destination->get(kVolumes, {"", "pv-1"}));
    EXPECT_EQ(co_await World::policy(w->m.source), "Delete//");
    EXPECT_EQ((co_await take_back(w->m)).kind, Outcome::Kind::kDone) << "once more";
  });
}

TEST(MovedVolumes, WhatTheSourceCannotTakeBackStays) {
  in_a_world([](World* w) -> Task<void> {
    co_await retain_on_source(w->m);
    co_await bind(w->m);
    co_await w->bind_on_destination();
    co_await hand_over(w->m);
    co_await w->phase(w->m.source, kVolumes, {"", "pv-1"}, "Released");
    EXPECT_THAT((co_await retain_on_destination(w->m)).reasons, ElementsAre(HasSubstr("has no claim for Persistent")));
    co_await w->m.source->remove(kVolumes, {"", "pv-1"});
    EXPECT_THAT((co_await take_back(w->m)).reasons, ElementsAre(HasSubstr("has no PersistentVolume pv-1")));
    EXPECT_TRUE(co_await w->m.destination->get(kClaims, {"boutique", "files"}));
  });
}

TEST(MovedVolumes, TwoClustersNeverWriteToOneVolume) {
  in_a_world([](World* w) -> Task<void> {
    EXPECT_THAT(co_await hindrances(w->m, Stopped::kNotYet), IsEmpty());
    co_await w->pod(w->m.source, "shop", "data");
    EXPECT_THAT(co_await hindrances(w->m, Stopped::kNotYet), ElementsAre(HasSubstr("[Pod shop/loose] of the source")));
    EXPECT_THAT((co_await bind(w->m)).reasons, SizeIs(1));
    EXPECT_FALSE(co_await w->m.destination->get(kVolumes, {"", "pv-1"}));
    co_await w->m.source->remove(kube::types::pods(), {"shop", "loose"}, {.grace_seconds = 0});
    // Between two runs.
    auto job = parse_yaml_one(R"(
      metadata: {name: nightly, namespace: shop}
      spec: {schedule: "0 3 * * *", jobTemplate: {spec: {template: {spec: {
        restartPolicy: Never, containers: [{name: c, image: i}],
        volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}}}}})");
    co_await w->m.source->create(kube::types::cron_jobs(), job);
    EXPECT_THAT(co_await hindrances(w->m, Stopped::kNotYet), IsEmpty()) << "a quiesce will stop it";
    w->m.flags.quiesce = false;
    EXPECT_THAT(co_await hindrances(w->m, Stopped::kNotYet), ElementsAre(HasSubstr("[CronJob shop/nightly] of the")));
    w->m.self.stage = true;
    EXPECT_THAT(co_await hindrances(w->m, Stopped::kNotYet), IsEmpty()) << "a stage moves nothing";
    EXPECT_THAT((co_await bind(w->m)).reasons, IsEmpty());
    EXPECT_FALSE(co_await w->m.destination->get(kVolumes, {"", "pv-1"}));
  });
}

TEST(MovedVolumes, ObjectsOfOthersAreLeftAlone) {
  in_a_world([](World* w) -> Task<void> {
    auto theirs = co_await kube::must_get(*w->m.source, kVolumes, {"", "pv-1"});
    theirs["metadata"] = {{"name", "pv-1"}};
    co_await w->m.destination->create(kVolumes, theirs);
    co_await w->m.destination->create(kClaims, parse_yaml_one(R"(
      metadata: {name: files, namespace: boutique}
      spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}})"));
    const auto reasons = (co_await bind(w->m)).reasons;
    EXPECT_THAT(reasons, ElementsAre(HasSubstr("PersistentVolume pv-1 is on the destination already"),
                                     HasSubstr("PersistentVolumeClaim boutique/files is on the destination already")));
    EXPECT_EQ((co_await take_back(w->m)).kind, Outcome::Kind::kDone);
    EXPECT_TRUE(co_await w->m.destination->get(kVolumes, {"", "pv-1"}));
    const Json moved = {{"metadata", {{"labels", {{api::labels::kMovedByPlan, "another"}}}}}};
    co_await w->m.source->patch(kVolumes, {"", "pv-1"}, kube::PatchKind::kMerge, moved);
    EXPECT_THAT((co_await bind(w->m)).reasons.front(), HasSubstr("was moved by another plan (UID another)"));
  });
}

TEST(MovedVolumes, AClaimThatDoesNotBindFailsWithItsCause) {
  in_a_world([](World* w) -> Task<void> {
    co_await bind(w->m);
    co_await w->m.destination->create(kube::types::events(), parse_yaml_one(R"(
      metadata: {name: e, namespace: boutique}
      involvedObject: {kind: PersistentVolumeClaim, namespace: boutique, name: files}
      lastTimestamp: "2026-01-02T03:04:05Z"
      message: the volume is too small)"));
    EXPECT_EQ((co_await await_bound(w->m)).kind, Outcome::Kind::kWait);
    w->clock.time += 6min;
    const auto failed = co_await await_bound(w->m);
    EXPECT_EQ(failed.failed_phase, "StageRestoreFailed");
    EXPECT_THAT(failed.reasons,
                ElementsAre(AllOf(HasSubstr("boutique/files of the destination is Pending"),
                                  HasSubstr("PersistentVolume pv-1"), HasSubstr("the volume is too small"))));
    co_await w->bind_on_destination();
    EXPECT_EQ((co_await await_bound(w->m)).kind, Outcome::Kind::kDone);
  });
}

}  // namespace
}  // namespace mtc::migrate::moved
