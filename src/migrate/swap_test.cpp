#include "migrate/swap.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/condition.hpp"
#include "async/runtime.hpp"
#include "json/yaml.hpp"
#include "migrate/replacement.hpp"
#include "plan/claim_users.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::migrate {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A migration of a plan that converts a claim of its own, and those of a StatefulSet "db" with two replicas.
Migration conversion() {
  Migration m;
  m.plan = api::MigPlan::parse(parse_yaml_one(R"(
metadata: {name: faster, namespace: openshift-migration, uid: plan-uid}
spec:
  namespaces: [shop]
  persistentVolumes:
  - {name: a, pvc: {namespace: shop, name: "data:data-mig-ab12", accessModes: [ReadWriteOnce]},
     selection: {action: copy, copyMethod: filesystem, storageClass: fast}}
  - {name: b, pvc: {namespace: shop, name: "data-db-0:data-mig-ab12-db-0", accessModes: [ReadWriteOnce]},
     selection: {action: copy, copyMethod: filesystem, storageClass: fast}}
  - {name: c, pvc: {namespace: shop, name: "data-db-1:data-mig-ab12-db-1", accessModes: [ReadWriteOnce]},
     selection: {action: copy, copyMethod: filesystem, storageClass: fast, accessMode: ReadWriteMany}}
  - {name: d, pvc: {namespace: shop, name: "slow:slow-mig-ab12"}, selection: {action: skip}}
)"));
  return m;
}

std::string pods_with(const std::string& claim) {
  return "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: i}], volumes: [{name: v, "
         "persistentVolumeClaim: {claimName: " +
         claim + "}}]}}";
}

Json workload(const std::string& kind, const std::string& spec, const std::string& metadata = "name: w") {
  return parse_yaml_one("{apiVersion: apps/v1, kind: " + kind + ", metadata: {namespace: shop, " + metadata +
                        "}, spec: {" + spec + "}}");
}

std::string claim_of(const Json& pods) {
  const auto& volumes = array_at(pods, "template.spec.volumes");
  return volumes.empty() ? "" : string_at(volumes.front(), "persistentVolumeClaim.claimName");
}

constexpr auto kSet =
    "replicas: 0, serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: "
    "{containers: [{name: c, image: i, volumeMounts: [{name: data, mountPath: /d}, {name: logs, mountPath: /l}]}]}}, "
    "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: "
    "{storage: 1Gi}}}}, {metadata: {name: logs}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: "
    "1Gi}}}}]";

TEST(Swap, NamesTheClaimsOfEveryKind) {
  const auto swap = swap_of(conversion(), false);
  for (const auto& type : {kube::types::deployments(), kube::types::daemon_sets(), kube::types::replica_sets(),
                           kube::types::deployment_configs(), kube::types::replication_controllers()}) {
    auto object = workload(type.kind, pods_with("data"));
    EXPECT_EQ(swap_claims(object, type, swap), Change::kInPlace) << type.kind;
    EXPECT_EQ(claim_of(object["spec"]), "data-mig-ab12") << type.kind;
    EXPECT_EQ(swap_claims(object, type, swap), Change::kNone) << type.kind << " is done already";
    EXPECT_EQ(swap_claims(object, type, swap_of(conversion(), true)), Change::kInPlace);
    EXPECT_EQ(object, workload(type.kind, pods_with("data"))) << type.kind;
    auto skipped = workload(type.kind, pods_with("slow"));
    EXPECT_EQ(swap_claims(skipped, type, swap), Change::kNone) << type.kind;
  }
  auto nightly = workload("CronJob", "jobTemplate: {spec: {" + pods_with("data") + "}}");
  EXPECT_EQ(swap_claims(nightly, kube::types::cron_jobs(), swap), Change::kInPlace);
  EXPECT_EQ(claim_of(nightly["spec"]["jobTemplate"]["spec"]), "data-mig-ab12");
}

TEST(Swap, MakesAJobAnewWithoutWhatTheServerGaveIt) {
  auto job = workload("Job", "selector: {matchLabels: {controller-uid: u}}, " + pods_with("data"));
  job["spec"]["template"]["metadata"]["labels"] = {{"controller-uid", "u"}, {"job-name", "w"}, {"app", "a"}};
  EXPECT_EQ(swap_claims(job, kube::types::jobs(), swap_of(conversion(), false)), Change::kByReplacement);
  EXPECT_FALSE(job["spec"].contains("selector"));
  EXPECT_EQ(job["spec"]["template"]["metadata"]["labels"], Json({{"app", "a"}}));
}

TEST(Swap, GivesTheTemplatesOfASetTheNewClassAndTakesItBack) {
  const auto before = workload("StatefulSet", kSet, "name: db");
  auto set = before;
  ASSERT_EQ(swap_claims(set, kube::types::stateful_sets(), swap_of(conversion(), false)), Change::kByReplacement);
  const auto& templates = set["spec"]["volumeClaimTemplates"];
  EXPECT_EQ(string_at(templates[0], "metadata.name"), "data-mig-ab12");
  EXPECT_EQ(string_at(templates[0], "spec.storageClassName"), "fast");
  EXPECT_EQ(templates[1], before["spec"]["volumeClaimTemplates"][1]) << "its claims are not the plan's";
  EXPECT_EQ(string_at(set["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0], "name"), "data-mig-ab12");
  ASSERT_EQ(swap_claims(set, kube::types::stateful_sets(), swap_of(conversion(), true)), Change::kByReplacement);
  set["metadata"].erase("annotations");
  EXPECT_EQ(set, before);
}

TEST(Swap, LetsAMachineMountTheClaimThatFollowsItsDataVolume) {
  auto machine = parse_yaml_one(
      "{kind: VirtualMachine, metadata: {namespace: shop, name: vm}, spec: {dataVolumeTemplates: [{metadata: {name: "
      "data}}, {metadata: {name: other}}], template: {spec: {volumes: [{name: d, dataVolume: {name: data}}, {name: o, "
      "dataVolume: {name: other}}]}}}}");
  EXPECT_EQ(swap_claims(machine, kube::types::virtual_machines(), swap_of(conversion(), false)), Change::kInPlace);
  const auto& volumes = machine["spec"]["template"]["spec"]["volumes"];
  EXPECT_EQ(volumes[0], parse_yaml_one("{name: d, persistentVolumeClaim: {claimName: data-mig-ab12}}"));
  EXPECT_EQ(volumes[1], parse_yaml_one("{name: o, dataVolume: {name: other}}"));
  EXPECT_EQ(machine["spec"]["dataVolumeTemplates"].size(), 1U);
}

TEST(Swap, RefusesASetWhoseClaimsNoTemplateCouldMake) {
  auto m = conversion();
  m.plan.persistent_volumes[1]["pvc"]["name"] = "data-db-0:elsewhere";
  auto set = workload("StatefulSet", kSet, "name: db");
  EXPECT_THROW(swap_claims(set, kube::types::stateful_sets(), swap_of(m, false)), Error);
}

/// An API server with its controllers, and the migration whose destination it is.
struct World {
  kube::ClientPtr client;
  Migration m = conversion();
  api::Conditions conditions{Json(), system_clock()};

  Task<Json> create(kube::ResourceType type, Json object) {
    co_return co_await client->create(type, std::move(object));
  }
  Task<Json> get(kube::ResourceType type, std::string name) {
    co_return co_await kube::must_get(*client, type, {"shop", name});
  }
  /// Until nothing is waited for.
  Task<Outcome> swap(bool back) {
    for (;;) {
      auto outcome = co_await carry_out(m, swap_of(m, back));
      if (outcome.kind != Outcome::Kind::kWait) co_return outcome;
    }
  }
  Task<std::vector<std::string>> records() {
    std::vector<std::string> out;
    for (const auto& each : co_await stored_replacements(client, "shop", "plan-uid")) out.push_back(each.str());
    co_return out;
  }
};

void on_cluster(std::function<Task<void>(World*)> body) {
  async::Runtime().run([](std::function<Task<void>(World*)> run) -> Task<void> {
    const auto cluster = co_await sandbox::Cluster::start({});
    World world{.client = cluster->client()};
    world.m.source = world.m.destination = world.client;
    world.m.clock = &system_clock();
    world.m.phase_since = system_clock().now();
    world.m.conditions = &world.conditions;
    co_await world.create(kube::types::namespaces(), parse_yaml_one("{metadata: {name: shop}}"));
    co_await run(&world);
    co_await cluster->stop();
  }(std::move(body)));
}

TEST(CarryOut, SwapsAndStartsWhatWasStoppedAndLeavesNoRecord) {
  on_cluster([](World* w) -> Task<void> {
    auto web = workload("Deployment", "replicas: 0, selector: {matchLabels: {app: a}}, " + pods_with("data"),
                        "name: web, annotations: {migration.openshift.io/preQuiesceReplicas: '3', "
                        "migration.openshift.io/preQuiescePaused: 'true'}");
    co_await w->create(kube::types::deployments(), web);
    const auto before = co_await w->create(
        kube::types::stateful_sets(),
        workload("StatefulSet", kSet, "name: db, annotations: {migration.openshift.io/preQuiesceReplicas: '2'}"));
    EXPECT_EQ((co_await w->swap(false)).kind, Outcome::Kind::kDone);
    web = co_await w->get(kube::types::deployments(), "web");
    EXPECT_EQ(claim_of(web["spec"]), "data-mig-ab12");
    EXPECT_EQ(web["spec"]["replicas"], 3);
    EXPECT_TRUE(bool_at(web, "spec.paused"));
    EXPECT_EQ(kube::annotation(web, "migration.openshift.io/preQuiesceReplicas"), "");
    const auto set = co_await w->get(kube::types::stateful_sets(), "db");
    EXPECT_NE(kube::uid_of(set), kube::uid_of(before));
    EXPECT_EQ(set["spec"]["replicas"], 2);
    EXPECT_EQ(string_at(set["spec"]["volumeClaimTemplates"][0], "metadata.name"), "data-mig-ab12");
    EXPECT_THAT(co_await w->records(), IsEmpty());
    // Done twice it changes nothing.
    EXPECT_EQ((co_await w->swap(false)).kind, Outcome::Kind::kDone);
    EXPECT_EQ(kube::resource_version_of(co_await w->get(kube::types::stateful_sets(), "db")),
              kube::resource_version_of(set));
  });
}

TEST(CarryOut, GoesOnWithASetThatIsGone) {
  on_cluster([](World* w) -> Task<void> {
    auto set = co_await w->create(kube::types::stateful_sets(), workload("StatefulSet", kSet, "name: db"));
    auto wanted = set;
    swap_claims(wanted, kube::types::stateful_sets(), swap_of(w->m, false));
    const Replacement replacement{kube::types::stateful_sets(), made_anew(wanted), kube::uid_of(set)};
    co_await store(w->client, replacement, "plan-uid");
    co_await w->client->remove(kube::types::stateful_sets(), {"shop", "db"});
    EXPECT_EQ((co_await w->swap(false)).kind, Outcome::Kind::kDone);
    set = co_await w->get(kube::types::stateful_sets(), "db");
    EXPECT_EQ(string_at(set["spec"]["volumeClaimTemplates"][0], "metadata.name"), "data-mig-ab12");
    EXPECT_THAT(co_await w->records(), IsEmpty());
  });
}

TEST(CarryOut, NamesASetThatSomebodyElseCreatesMeanwhile) {
  on_cluster([](World* w) -> Task<void> {
    auto set = co_await w->create(kube::types::stateful_sets(), workload("StatefulSet", kSet, "name: db"));
    auto wanted = set;
    swap_claims(wanted, kube::types::stateful_sets(), swap_of(w->m, false));
    co_await store(w->client, {kube::types::stateful_sets(), made_anew(wanted), "one-that-is-gone"}, "plan-uid");
    const auto outcome = co_await w->swap(false);
    EXPECT_EQ(outcome.kind, Outcome::Kind::kFail);
    EXPECT_THAT(outcome.reasons, Contains(HasSubstr("StatefulSet shop/db was to be created again")));
    EXPECT_THAT(outcome.reasons, Contains(HasSubstr("mtc migrate faster --rollback")));
    EXPECT_THAT(co_await w->records(), ElementsAre("StatefulSet shop/db")) << "what it shall be is kept";
  });
}

TEST(CarryOut, ReplacesAJobThatIsNotOverUnderItsName) {
  on_cluster([](World* w) -> Task<void> {
    const std::string spec =
        "parallelism: 0, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}], "
        "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}}";
    auto job = workload("Job", spec, "name: import, annotations: {migration.openshift.io/preQuiesceReplicas: '1'}");
    job["apiVersion"] = "batch/v1";
    const auto before = co_await w->create(kube::types::jobs(), job);
    EXPECT_EQ((co_await w->swap(false)).kind, Outcome::Kind::kDone);
    job = co_await w->get(kube::types::jobs(), "import");
    EXPECT_NE(kube::uid_of(job), kube::uid_of(before));
    EXPECT_EQ(claim_of(job["spec"]), "data-mig-ab12");
    EXPECT_EQ(job["spec"]["parallelism"], 1);
  });
}

TEST(CarryOut, MarksTheClaimsThatNothingUsesAnyMore) {
  on_cluster([](World* w) -> Task<void> {
    constexpr auto kLabel = "migration.openshift.io/source-for-directvolumemigration";
    const auto& claims = kube::types::persistent_volume_claims();
    for (const auto* name : {"data", "slow"}) {
      auto claim = parse_yaml_one(
          "{metadata: {namespace: shop}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}");
      claim["metadata"]["name"] = name;
      co_await w->create(claims, claim);
    }
    co_await w->swap(false);
    EXPECT_EQ(kube::label(co_await w->get(claims, "data"), kLabel), "plan-uid");
    EXPECT_EQ(kube::label(co_await w->get(claims, "slow"), kLabel), "");
    co_await w->swap(true);
    EXPECT_EQ(kube::label(co_await w->get(claims, "data"), kLabel), "");
  });
}

}  // namespace
}  // namespace mtc::migrate
