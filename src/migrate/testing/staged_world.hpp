#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/names.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "json/yaml.hpp"
#include "kube/config.hpp"
#include "migrate/advance.hpp"
#include "migrate/jobs.hpp"
#include "migrate/testing/test_clock.hpp"
#include "plan/checks.hpp"
#include "sandbox/cluster.hpp"

// The rows that carry volumes, against API servers. Pods are only objects here: the test says how they fare.

namespace mtc::migrate::testing {

using namespace std::chrono_literals;

inline const auto& kClaims = kube::types::persistent_volume_claims();

inline constexpr auto kPlan = R"(
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
struct StagedWorld {
  std::unique_ptr<sandbox::Cluster> west, east;
  std::unique_ptr<plan::Connections> connections;
  std::unique_ptr<OwnedJobs> jobs;
  blob::StorePtr store = blob::make_memory_store();
  SeededRng rng{7};
  TestClock clock;
  std::string uid = "0123456789";
  Json spec = {{"quiescePods", true}, {"stage", false}};
  Json status = {{"itinerary", "Final"}, {"phase", "AnnotateResources"}, {"startTimestamp", "2026-01-02T03:04:05Z"}};
  Json plan = parse_yaml_one(kPlan);
  Duration in_phase{};  ///< how long the current phase has lasted, at each pass
  std::size_t at_once = 5;
  std::vector<std::string> progress;
  /// Of all passes: a job outlives the one that began it.
  std::shared_ptr<async::Event> woken = std::make_shared<async::Event>();

  /// One pass, as the reconciler makes it.
  Task<Advance> pass() {
    api::Conditions conditions(array_at(status, "conditions"), clock);
    Migration m;
    m.self = api::MigMigration::parse({{"metadata", {{"namespace", api::kNamespace}, {"name", "m"}, {"uid", uid}}},
                                       {"spec", spec},
                                       {"status", status}});
    m.plan_object = plan;
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
    m.wake = [event = woken] { event->set(); };
    m.phase_since = clock.now() - in_phase;
    m.volumes.at_once = at_once;
    m.flags = {
        .has_pvs = true, .has_stage_backup = true, .indirect_volume = m.plan.indirect_volumes, .enable_volume = true};
    auto next = co_await advance(&m, &status);
    set_at(status, "conditions", conditions.end());
    if (!m.progress.empty()) progress = m.progress;
    // A job has been begun: who waits for it is woken by it.
    const bool waits_for_job = next.again_after && *next.again_after > Duration::zero() && next.wake_on.empty();
    if (waits_for_job) EXPECT_TRUE(co_await woken->wait_for(10s));
    if (waits_for_job) woken->reset();
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

inline const std::string kBackedUp =
    R"({"phase":"done","bytes":1200,"bytesTotal":1200,"snapshot":")" + std::string(64, 'a') + R"("})";
inline constexpr auto kRestored = R"({"phase":"done","bytes":1200,"bytesTotal":1200,"verified":true})";
inline constexpr auto kDamaged =
    R"({"phase":"failed","message":"pack 12ab: damaged","retry":false,"differences":["a/b"]})";

inline Task<void> bound_claim(kube::ClientPtr cluster, std::string name, std::string mode = "ReadWriteOnce") {
  Json claim = parse_yaml_one("{metadata: {namespace: shop}, spec: {resources: {requests: {storage: 1Gi}}}}");
  claim["metadata"]["name"] = name;
  claim["spec"]["accessModes"] = Json::array({mode});
  co_await cluster->create(kClaims, claim);
  kube::WriteOptions status;
  status.subresource = "status";
  Json bound = {{"status", {{"phase", "Bound"}}}};
  co_await cluster->patch(kClaims, {"shop", name}, kube::PatchKind::kMerge, bound, status);
}

inline void in_a_world(std::function<Task<void>(StagedWorld*)> body) {
  async::Runtime().run([](std::function<Task<void>(StagedWorld*)> run) -> Task<void> {
    StagedWorld world;
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
inline std::string reason_of_failure(const Json& status) {
  for (const auto& condition : array_at(status, "conditions")) {
    if (string_at(condition, "type") == "Failed") return string_at(condition, "reason");
  }
  return "";
}

inline std::vector<std::string> args_of(const Json& pod) { return strings_at(pod["spec"]["containers"][0], "args"); }

}  // namespace mtc::migrate::testing
