#include "migrate/indirect/walk.hpp"

#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "json/yaml.hpp"
#include "kube/config.hpp"
#include "migrate/advance.hpp"
#include "migrate/jobs.hpp"
#include "plan/checks.hpp"
#include "plan/repositories.hpp"
#include "plan/types.hpp"
#include "sandbox/cluster.hpp"

// The rows that carry volumes, against API servers. Pods are only objects here: the test says how they fare.

namespace mtc::migrate::indirect {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const auto& kClaims = kube::types::persistent_volume_claims();
const auto& kBackups = kube::types::pod_volume_backups();
const auto& kRestores = kube::types::pod_volume_restores();

struct TestClock final : Clock {
  Time time = *parse_rfc3339("2026-01-02T03:04:05Z");
  Time now() const override { return time; }
};

constexpr auto kPlan = R"(
metadata: {name: hello, namespace: openshift-migration, uid: plan-uid}
spec:
  indirectVolumeMigration: true
  migStorageRef: {namespace: openshift-migration, name: bucket}
  namespaces: ["shop:boutique"]
  persistentVolumes:
  - {name: pv-1, pvc: {namespace: shop, name: data, accessModes: [ReadWriteOnce]},
     selection: {action: copy, copyMethod: filesystem, storageClass: fast}}
  - {name: pv-2, pvc: {namespace: shop, name: "logs:old-logs", accessModes: [ReadWriteOnce]},
     selection: {action: copy, copyMethod: filesystem, storageClass: fast}}
)";

/// Two clusters, the source being the host, a bucket, and a migration that a controller would walk through.
struct World {
  std::unique_ptr<sandbox::Cluster> west, east;
  std::unique_ptr<plan::Connections> connections;
  std::unique_ptr<OwnedJobs> jobs;
  blob::StorePtr store = blob::make_memory_store();
  SeededRng rng{7};
  TestClock clock;
  std::string uid = "0123456789";
  Json spec = {{"quiescePods", true}, {"stage", false}};
  Json status = {{"itinerary", "Final"}, {"phase", "AnnotateResources"}, {"startTimestamp", "2026-01-02T03:04:05Z"}};
  std::size_t at_once = 5;
  std::vector<std::string> progress;

  /// One pass, as the reconciler makes it.
  Task<Advance> pass() {
    api::Conditions conditions(array_at(status, "conditions"), clock);
    async::Event woken;
    Migration m;
    m.self = api::MigMigration::parse({{"metadata", {{"namespace", api::kNamespace}, {"name", "m"}, {"uid", uid}}},
                                       {"spec", spec},
                                       {"status", status}});
    m.plan_object = parse_yaml_one(kPlan);
    m.plan = api::MigPlan::parse(m.plan_object);
    m.host = m.source = west->client();
    m.destination = east->client();
    m.host_id = "this-host";
    m.connections = connections.get();
    m.store = store;
    m.bucket.bucket = "b";
    m.bucket.secret_access_key = Secret("store-key");
    m.jobs = jobs.get();
    m.clock = &clock;
    m.rng = &rng;
    m.conditions = &conditions;
    m.wake = [&] { woken.set(); };
    m.phase_since = clock.now();
    m.volumes.at_once = at_once;
    m.flags = {.has_pvs = true, .has_stage_backup = true, .indirect_volume = true, .enable_volume = true};
    auto next = co_await advance(&m, &status);
    set_at(status, "conditions", conditions.end());
    if (!m.progress.empty()) progress = m.progress;
    // A job has been begun: who waits for it is woken by it.
    const bool waits_for_job = next.again_after && *next.again_after > Duration::zero() && next.wake_on.empty();
    if (waits_for_job) EXPECT_TRUE(co_await woken.wait_for(10s));
    if (waits_for_job) next.again_after = Duration::zero();
    co_return next;
  }

  /// Until it waits for pods, has come to `phase`, or has ended.
  Task<void> walk(std::string phase = "") {
    for (Advance next; !next.finished && (phase.empty() || this->phase() != phase);) {
      next = co_await pass();
      if (next.again_after != Duration::zero()) co_return;
    }
  }

  std::string phase() const { return string_at(status, "phase"); }
  std::vector<std::string> errors() const { return strings_at(status, "errors"); }

  static Task<std::vector<Json>> pods(kube::ClientPtr cluster, std::string ns) {
    co_return co_await kube::list_all(*cluster, kube::types::pods(), ns);
  }
  static Task<void> fare(kube::ClientPtr cluster, Json pod, std::string phase, std::string message) {
    const Json terminated = {{"exitCode", phase == "Succeeded" ? 0 : 1}, {"message", message}};
    const Json container = {{"name", "rsync"}, {"image", "i"},      {"imageID", "i"},
                            {"ready", false},  {"restartCount", 0}, {"state", {{"terminated", terminated}}}};
    const Json patch = {{"status", {{"phase", phase}, {"containerStatuses", Json::array({container})}}}};
    kube::WriteOptions options;
    options.subresource = "status";
    co_await cluster->patch(kube::types::pods(), kube::key_of(pod), kube::PatchKind::kMerge, patch, options);
  }
  /// All pods that have not ended do, with this line.
  static Task<void> all_fare(kube::ClientPtr cluster, std::string ns, std::string phase, std::string message) {
    for (const auto& pod : co_await pods(cluster, ns)) {
      const auto now = string_at(pod, "status.phase");
      if (now != "Succeeded" && now != "Failed") co_await fare(cluster, pod, phase, message);
    }
  }
  static Task<std::vector<Json>> list(kube::ClientPtr cluster, kube::ResourceType type) {
    co_return co_await kube::list_all(*cluster, type, api::kNamespace);
  }
};

const std::string kBackedUp =
    R"({"phase":"done","bytes":1200,"bytesTotal":1200,"snapshot":")" + std::string(64, 'a') + R"("})";
constexpr auto kRestored = R"({"phase":"done","bytes":1200,"bytesTotal":1200,"verified":true})";
constexpr auto kDamaged = R"({"phase":"failed","message":"pack 12ab: damaged","retry":false,"differences":["a/b"]})";

Task<void> bound_claim(kube::ClientPtr cluster, std::string name, std::string mode = "ReadWriteOnce") {
  Json claim = parse_yaml_one("{metadata: {namespace: shop}, spec: {resources: {requests: {storage: 1Gi}}}}");
  claim["metadata"]["name"] = name;
  claim["spec"]["accessModes"] = Json::array({mode});
  co_await cluster->create(kClaims, claim);
  kube::WriteOptions status;
  status.subresource = "status";
  Json bound = {{"status", {{"phase", "Bound"}}}};
  co_await cluster->patch(kClaims, {"shop", name}, kube::PatchKind::kMerge, bound, status);
}

void in_a_world(std::function<Task<void>(World*)> body) {
  async::Runtime().run([](std::function<Task<void>(World*)> run) -> Task<void> {
    World world;
    world.west = co_await sandbox::Cluster::start({.name = "west", .run_workloads = false});
    world.east = co_await sandbox::Cluster::start({.name = "east", .run_workloads = false});
    world.jobs = co_await make_jobs();
    const auto west = world.west->client();
    world.connections = std::make_unique<plan::Connections>(west);
    co_await plan::bootstrap(west);
    co_await plan::bootstrap(world.east->client());
    co_await west->create(kube::types::namespaces(), parse_yaml_one("{metadata: {name: shop, labels: {team: a}}}"));
    co_await west->create(
        kube::types::backup_storage_locations(),
        parse_yaml_one(
            "{metadata: {namespace: openshift-migration, name: bsl, labels: {migplan: plan-uid}}, spec: {}}"));
    co_await bound_claim(west, "data");
    co_await bound_claim(west, "logs");
    co_await run(&world);
    co_await world.jobs->stop();
    co_await world.west->stop();
    co_await world.east->stop();
  }(std::move(body)));
}

/// The phase in which the migration failed.
std::string reason_of_failure(const Json& status) {
  for (const auto& condition : array_at(status, "conditions")) {
    if (string_at(condition, "type") == "Failed") return string_at(condition, "reason");
  }
  return "";
}

std::vector<std::string> args_of(const Json& pod) { return strings_at(pod["spec"]["containers"][0], "args"); }

TEST(StagedWalk, CarriesEveryClaimAndLeavesNothingBehind) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    w->at_once = 1;
    w->status["phase"] = "AnnotateResources";
    co_await w->walk("EnsureStageBackup");  // without the rows of a quiesce, which the flags leave out
    EXPECT_EQ(kube::label(*co_await west->get(kClaims, {"shop", "data"}), api::labels::kIncludedInStage), w->uid);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "StageBackupCreated");
    auto sent = co_await World::pods(west, "shop");
    EXPECT_THAT(sent, SizeIs(1)) << "one at a time was asked for";
    EXPECT_THAT(args_of(sent.at(0)), Contains("cutover"));
    EXPECT_THAT(w->progress, Contains(HasSubstr("Waiting for ongoing volume backup(s) to complete")));
    EXPECT_TRUE(co_await w->store->head("velero/restic/plan-uid/shop/config"));

    co_await World::all_fare(west, "shop", "Succeeded", kBackedUp);
    co_await w->walk();
    EXPECT_THAT(co_await World::pods(west, "shop"), SizeIs(2)) << "the next one's turn";
    EXPECT_FALSE(co_await w->store->head("velero/backups/m-stage-01234/velero-backup.json")) << "not all is there yet";
    co_await World::all_fare(west, "shop", "Succeeded", kBackedUp);
    co_await w->walk();

    EXPECT_EQ(w->phase(), "StageRestoreCreated");
    EXPECT_TRUE(co_await w->store->head("velero/backups/m-stage-01234/velero-backup.json"));
    EXPECT_THAT(co_await World::pods(west, "shop"), IsEmpty()) << "movers of the source are not needed any more";
    const kube::ListOptions keys{.label_selector = "app=pod-volume-mover"};
    EXPECT_THAT(co_await kube::list_all(*west, kube::types::secrets(), "shop", keys), IsEmpty());
    const auto backup = co_await east->get(kube::types::backups(), {api::kNamespace, "m-stage-01234"});
    EXPECT_EQ(string_at(backup.value_or(Json()), "status.phase"), "Completed");
    const auto claim = co_await east->get(kClaims, {"boutique", "old-logs"});
    EXPECT_EQ(kube::label(claim.value_or(Json()), api::labels::kMigratedByPlan), "plan-uid");
    EXPECT_EQ(kube::label(claim.value_or(Json()), api::labels::kIncludedInStage), "");
    for (int i = 0; i < 2; ++i) {
      for (const auto& pod : co_await World::pods(east, "boutique"))
        EXPECT_THAT(args_of(pod), testing::IsSupersetOf({std::string(64, 'a'), std::string("--verify")}));
      co_await World::all_fare(east, "boutique", "Succeeded", kRestored);
      co_await w->walk("EnsureInitialBackupReplicated");
    }
    EXPECT_EQ(w->phase(), "EnsureInitialBackupReplicated");
    EXPECT_THAT(co_await World::pods(east, "boutique"), IsEmpty());
    EXPECT_THAT(co_await kube::list_all(*east, kube::types::secrets(), "boutique", keys), IsEmpty());
    EXPECT_EQ(kube::label(*co_await west->get(kClaims, {"shop", "data"}), api::labels::kIncludedInStage), "");
    for (const auto& object : co_await World::list(west, kBackups)) {
      EXPECT_EQ(string_at(object, "status.phase"), "Completed");
      EXPECT_EQ(int_at(object, "status.progress.bytesDone"), 1200);
    }
    EXPECT_THAT(co_await World::list(east, kRestores), SizeIs(2));
    EXPECT_FALSE(dump(w->status).contains("store-key"));
  });
}

TEST(StagedWalk, AVolumeThatIsNotWholeFailsTheMigrationAndSaysWhich) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    co_await w->walk();
    co_await World::all_fare(west, "shop", "Succeeded", kBackedUp);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "StageRestoreCreated");
    const auto pods = co_await World::pods(east, "boutique");
    EXPECT_THAT(pods, SizeIs(2));
    co_await World::fare(east, pods.at(0), "Succeeded", kRestored);
    co_await World::fare(east, pods.at(1), "Failed", kDamaged);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "Completed");
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "Failed"));
    EXPECT_THAT(w->errors(), Contains(testing::AllOf(HasSubstr("PersistentVolumeClaim boutique/"),
                                                     HasSubstr("was not restored: Pod boutique/restic-restore-"),
                                                     HasSubstr("pack 12ab: damaged [a/b]"),
                                                     HasSubstr("velero/restic/plan-uid/shop"))));
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "ResticErrors"));
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "ResticVerifyErrors"));
    const auto restore = co_await east->get(kube::types::restores(), {api::kNamespace, "m-stage-01234"});
    EXPECT_EQ(string_at(restore.value_or(Json()), "status.phase"), "PartiallyFailed");
    EXPECT_EQ(kube::annotation(restore.value_or(Json()), api::annotations::kRestoreErrors), "1");
    EXPECT_THAT(co_await World::pods(east, "boutique"), IsEmpty());
    EXPECT_EQ(kube::label(*co_await west->get(kClaims, {"shop", "data"}), api::labels::kIncludedInStage), "");
  });
}

// Nothing shows more than that the mover is gone: the object says which attempt it was, and the next one follows.
TEST(StagedWalk, AKilledMoverIsFollowedByAnother) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client();
    w->at_once = 1;
    co_await w->walk();
    co_await World::all_fare(west, "shop", "Failed", "");
    w->clock.time += 1min;
    co_await w->walk();
    const auto pods = co_await World::pods(west, "shop");
    EXPECT_THAT(pods, SizeIs(2));
    std::set<std::string> attempts;
    for (const auto& pod : pods) attempts.insert(kube::label(pod, api::labels::kAttempt));
    EXPECT_THAT(attempts, ElementsAre("1", "2"));
    for (const auto& pod : pods) co_await west->remove(kube::types::pods(), kube::key_of(pod));
    co_await w->walk();
    const auto again = co_await World::pods(west, "shop");
    EXPECT_THAT(again, SizeIs(1)) << "one that was taken away comes back";
  });
}

// What a stage had to leave out is told, also if the pod that said so is gone by the time the last claim is done.
TEST(StagedWalk, LossesAreOnRecord) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client();
    w->at_once = 1;
    co_await w->walk();
    const auto first = co_await World::pods(west, "shop");
    co_await World::all_fare(west, "shop", "Succeeded",
                             R"({"phase":"done","snapshot":")" + std::string(64, 'a') + R"(","skipped":["busy"]})");
    co_await w->walk();
    co_await west->remove(kube::types::pods(), kube::key_of(first.at(0)));
    co_await World::all_fare(west, "shop", "Succeeded", kBackedUp);
    co_await w->walk();
    EXPECT_EQ(w->phase(), "StageRestoreCreated");
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "VolumeFilesSkipped"));
    EXPECT_THAT(dump(w->status), HasSubstr(": busy"));
  });
}

TEST(StagedWalk, TellsOfMoversThatDoNotStart) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client();
    co_await w->walk();
    for (const auto& pod : co_await World::pods(west, "shop")) {
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

// BUG 14 of migration.md: objects of other users of Velero are deleted as well.
TEST(StagedWalk, UnfinishedObjectsOfMigrationsThatAreOverGoAndNoOthers) {
  in_a_world([](World* w) -> Task<void> {
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
    for (const auto& object : co_await World::list(west, kBackups)) left.insert(kube::key_of(object).name);
    EXPECT_THAT(left, ElementsAre("done", "foreign", "other-host"));
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "StaleResticCRsDeleted"));
  });
}

TEST(StagedWalk, AForeignClaimOnTheDestinationEndsItBeforeAnythingIsMade) {
  in_a_world([](World* w) -> Task<void> {
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
    EXPECT_THAT(co_await World::pods(west, "shop"), IsEmpty());
  });
}

TEST(StagedWalk, AClaimOfOnePodIsNotReadBehindItsUsersBack) {
  in_a_world([](World* w) -> Task<void> {
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
    EXPECT_THAT(co_await World::list(west, kBackups), IsEmpty());
  });
}

TEST(StagedWalk, ACancelEndsWhatRunsAndTakesItsObjects) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client();
    co_await w->walk();
    EXPECT_THAT(co_await World::list(west, kBackups), SizeIs(2));
    w->spec["canceled"] = true;
    co_await w->walk();
    EXPECT_EQ(w->phase(), "Completed");
    EXPECT_TRUE(api::has_condition({{"status", w->status}}, "Canceled"));
    EXPECT_THAT(co_await World::pods(west, "shop"), IsEmpty());
    EXPECT_THAT(co_await World::list(west, kBackups), IsEmpty());
    EXPECT_THAT(co_await World::list(west, kube::types::backups()), IsEmpty());
    EXPECT_EQ(kube::label(*co_await west->get(kClaims, {"shop", "data"}), api::labels::kIncludedInStage), "");
    EXPECT_TRUE(co_await w->store->head("velero/restic/plan-uid/shop/config")) << "the next one goes on from there";
  });
}

TEST(StagedWalk, ARepositoryOfAnotherPasswordIsLeftAlone) {
  in_a_world([](World* w) -> Task<void> {
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
