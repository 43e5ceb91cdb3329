#include <functional>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "async/runtime.hpp"
#include "base/error.hpp"
#include "json/yaml.hpp"
#include "kube/config.hpp"
#include "migrate/testing/test_clock.hpp"
#include "migrate/volumes/advance.hpp"
#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/itinerary.hpp"
#include "plan/checks.hpp"
#include "plan/types.hpp"
#include "sandbox/cluster.hpp"

// The whole itinerary against API servers. Pods are only objects here: the test says how they fare.

namespace mtc::migrate::volumes {
namespace {

using namespace std::chrono_literals;
using migrate::testing::TestClock;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto& kClaims = kube::types::persistent_volume_claims();

/// Relays that were asked for and not given up, "sender → receiver", and what becomes of them.
struct AskedRelays final : Relays {
  std::map<kube::ObjectKey, kube::ObjectKey> asked;
  std::optional<Error> failure;

  std::optional<Error> ensure(const std::string&, RelayEnds ends) override {
    asked[ends.sender] = ends.receiver;
    return failure;
  }
  void keep(const std::string&, const std::set<kube::ObjectKey>& senders) override {
    std::erase_if(asked, [&](const auto& each) { return !senders.contains(each.first); });
  }
};

/// Two clusters, the source being the host, and a DirectVolumeMigration that a controller would walk through.
struct World {
  std::unique_ptr<sandbox::Cluster> west, east;
  TestClock clock;
  AskedRelays relays;
  Json object;
  std::vector<std::string> phases;

  /// One pass, as the reconciler makes it; false if it waits.
  Task<bool> pass() {
    api::Conditions conditions(array_at(object, "status.conditions"), clock);
    Copying c;
    c.self = api::DirectVolumeMigration::parse(object);
    c.host = c.source = west->client();
    c.destination = east->client();
    c.clock = &clock;
    c.conditions = &conditions;
    c.status = &object["status"];
    c.phase_since = clock.now();
    c.settings.at_once = 1;
    c.relays = &relays;
    const auto next = co_await advance(&c);
    set_at(object, "status.conditions", conditions.end());
    const auto phase = string_at(object, "status.phase");
    if (phases.empty() || phases.back() != phase) phases.push_back(phase);
    co_return !next.finished && next.again_after == Duration::zero();
  }

  /// Until it waits, or has ended.
  Task<void> walk() {
    while (co_await pass()) {
    }
  }

  Task<std::vector<Json>> pods(kube::ClientPtr cluster, std::string ns) {
    co_return co_await kube::list_all(*cluster, kube::types::pods(), ns);
  }

  Task<void> fare(kube::ClientPtr cluster, Json pod, std::string status) {
    kube::WriteOptions options;
    options.subresource = "status";
    Json patch = {{"status", parse_yaml_one(status)}};
    co_await cluster->patch(kube::types::pods(), kube::key_of(pod), kube::PatchKind::kMerge, patch, options);
  }
};

constexpr auto kRunning = "{phase: Running, podIP: 10.0.0.1}";
constexpr auto kDone =
    "{phase: Succeeded, containerStatuses: [{name: rsync, image: i, imageID: i, ready: false, restartCount: 0, state: "
    "{terminated: {exitCode: 0, message: '{\"phase\":\"done\",\"verified\":true}'}}}]}";
constexpr auto kUnreadable =
    "{phase: Failed, containerStatuses: [{name: rsync, image: i, imageID: i, ready: false, restartCount: 0, state: "
    "{terminated: {exitCode: 1, message: '{\"phase\":\"failed\",\"message\":\"secret.txt: permission denied\","
    "\"retry\":false}'}}}]}";
constexpr auto kKilled =
    "{phase: Failed, containerStatuses: [{name: rsync, image: i, imageID: i, ready: false, restartCount: 0, state: "
    "{terminated: {exitCode: 137, reason: OOMKilled}}}]}";

void in_a_world(std::function<Task<void>(World*)> body) {
  async::Runtime().run([](std::function<Task<void>(World*)> run) -> Task<void> {
    World world;
    world.west = co_await sandbox::Cluster::start({.name = "west", .run_workloads = false});
    world.east = co_await sandbox::Cluster::start({.name = "east", .run_workloads = false});
    const auto west = world.west->client();
    co_await plan::bootstrap(west);
    co_await plan::bootstrap(world.east->client());
    co_await west->create(kube::types::namespaces(), parse_yaml_one("{metadata: {name: shop, labels: {team: a}}}"));
    for (const auto* name : {"data", "logs"}) {
      Json claim = parse_yaml_one(
          "{metadata: {namespace: shop}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}");
      claim["metadata"]["name"] = name;
      co_await west->create(kClaims, claim);
      kube::WriteOptions status;
      status.subresource = "status";
      co_await west->patch(kClaims, {"shop", name}, kube::PatchKind::kMerge, parse_yaml_one("{status: {phase: Bound}}"),
                           status);
    }
    world.object = parse_yaml_one(R"(
metadata:
  name: d
  namespace: openshift-migration
  uid: dvm-uid
  labels: {migration.openshift.io/migrated-by-migplan: plan-uid, migration.openshift.io/migrated-by-migmigration: m}
spec:
  migrationType: CutOver
  srcMigClusterRef: {namespace: openshift-migration, name: host}
  persistentVolumeClaims:
  - {namespace: shop, name: data, targetNamespace: boutique, targetStorageClass: fast, targetAccessModes: []}
  - {namespace: shop, name: logs, targetNamespace: boutique, targetStorageClass: fast, targetAccessModes: []}
status: {}
)");
    co_await run(&world);
    co_await world.west->stop();
    co_await world.east->stop();
  }(std::move(body)));
}

TEST(Walk, CopiesEveryClaimAndLeavesNothingBehind) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    co_await w->walk();
    EXPECT_EQ(w->phases.back(), "WaitForRsyncTransferPodsRunning");
    EXPECT_TRUE(co_await east->get(kClaims, {"boutique", "data"}));
    EXPECT_TRUE(co_await east->get(kClaims, {"boutique", "logs"}));
    const auto ns = co_await east->get(kube::types::namespaces(), {"", "boutique"});
    EXPECT_EQ(kube::label(*ns, "team"), "a");
    EXPECT_THAT(co_await kube::list_all(*west, plan::types::volume_progresses(), api::kNamespace), SizeIs(2));
    const auto secrets = co_await kube::list_all(*east, kube::types::secrets(), "boutique",
                                                 {.label_selector = "directvolumemigration=dvm-uid"});
    EXPECT_THAT(secrets, SizeIs(1));

    auto receivers = co_await w->pods(east, "boutique");
    EXPECT_THAT(receivers, SizeIs(1)) << "one at a time was asked for";
    co_await w->fare(east, receivers[0], kRunning);
    co_await w->walk();
    EXPECT_EQ(w->phases.back(), "RunRsyncOperations");
    auto senders = co_await w->pods(west, "shop");
    EXPECT_THAT(senders, SizeIs(1));
    EXPECT_THAT(array_at(w->object, "status.pendingPods"), SizeIs(2));

    co_await w->fare(west, senders[0], kDone);
    co_await w->walk();
    EXPECT_THAT(array_at(w->object, "status.successfulPods"), IsEmpty()) << "the receiver has not ended";
    co_await w->fare(east, receivers[0], kDone);
    co_await w->walk();
    EXPECT_THAT(array_at(w->object, "status.successfulPods"), SizeIs(1));
    EXPECT_EQ(string_at(w->object["status"]["successfulPods"][0], "lastObservedProgressPercent"), "100%");

    for (auto& receiver : co_await w->pods(east, "boutique")) {
      if (string_at(receiver, "status.phase") != "Succeeded") co_await w->fare(east, receiver, kRunning);
    }
    co_await w->walk();
    for (auto& sender : co_await w->pods(west, "shop")) co_await w->fare(west, sender, kDone);
    for (auto& receiver : co_await w->pods(east, "boutique")) co_await w->fare(east, receiver, kDone);
    w->clock.time += 1min;  // nobody takes their progress down
    co_await w->walk();
    EXPECT_EQ(w->phases.back(), "Completed");
    EXPECT_TRUE(api::has_condition(w->object, "Succeeded"));
    EXPECT_THAT(co_await w->pods(west, "shop"), IsEmpty());
    EXPECT_THAT(co_await w->pods(east, "boutique"), IsEmpty());
    EXPECT_THAT(co_await kube::list_all(*east, kube::types::services(), "boutique"), IsEmpty());
    EXPECT_TRUE(co_await east->get(kClaims, {"boutique", "data"})) << "claims are never helpers";
    std::vector<std::string> expected;
    for (const auto& row : copy_itinerary().rows) expected.emplace_back(row.phase);
    expected.erase(expected.begin());
    EXPECT_EQ(w->phases, expected);
  });
}

TEST(Walk, ADeviceTravelsAsOneAndIsNotMadeSmaller) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    co_await west->create(kube::types::persistent_volumes(),
                          parse_yaml_one("{metadata: {name: pv}, spec: {capacity: {storage: 1025Mi}, accessModes: "
                                         "[ReadWriteOnce], volumeMode: Block, hostPath: {path: /nowhere}}}"));
    co_await west->create(kClaims, parse_yaml_one("{metadata: {namespace: shop, name: raw}, spec: {accessModes: "
                                                  "[ReadWriteOnce], volumeMode: Block, volumeName: pv, resources: "
                                                  "{requests: {storage: 1Gi}}}}"));
    co_await west->patch(kClaims, {"shop", "raw"}, kube::PatchKind::kMerge, parse_yaml_one("{status: {phase: Bound}}"),
                         {.subresource = "status"});
    w->object["spec"]["persistentVolumeClaims"] = parse_yaml_one(
        "[{namespace: shop, name: raw, targetNamespace: boutique, targetStorageClass: fast, targetAccessModes: []}]");
    co_await w->walk();
    const auto made = co_await east->get(kClaims, {"boutique", "raw"});
    EXPECT_EQ(string_at(*made, "spec.volumeMode"), "Block");
    EXPECT_EQ(string_at(*made, "spec.resources.requests.storage"), "1025Mi");
    auto receivers = co_await w->pods(east, "boutique");
    EXPECT_THAT(dump(receivers.at(0)["spec"]["containers"][0]["args"]), HasSubstr(R"("--device","/dev/volume")"));
    co_await w->fare(east, receivers.at(0), kRunning);
    co_await w->walk();
    const auto senders = co_await w->pods(west, "shop");
    EXPECT_THAT(dump(senders.at(0)["spec"]["containers"][0]["args"]), HasSubstr(R"("send","--device","/dev/volume")"));
  });
}

/// Until the sender of the first claim runs; its pod's name.
Task<std::string> sender_at_work(World* w) {
  const auto west = w->west->client(), east = w->east->client();
  co_await w->walk();
  for (auto& pod : co_await w->pods(east, "boutique")) co_await w->fare(east, pod, kRunning);
  co_await w->walk();
  const auto senders = co_await w->pods(west, "shop");
  co_await w->fare(west, senders.at(0), kRunning);
  co_await w->walk();
  co_return kube::key_of(senders.at(0)).name;
}

/// What its progress says of the way of a sender.
Task<void> takes(World* w, std::string sender, std::string way) {
  const auto west = w->west->client();
  for (const auto& progress : co_await kube::list_all(*west, plan::types::volume_progresses(), api::kNamespace)) {
    const Json patch = {{"status", {{"podName", sender}, {"way", way}, {"observedDigest", ""}}}};
    co_await west->patch(plan::types::volume_progresses(), kube::key_of(progress), kube::PatchKind::kMerge, patch);
  }
}

TEST(Walk, ASenderThatNoAddressLedOnGetsARelayForAsLongAsItWorks) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client();
    const auto sender = co_await sender_at_work(w);
    EXPECT_THAT(dump((co_await w->pods(west, "shop")).at(0)["spec"]), HasSubstr(R"("--listen","$(POD_IP):6443")"));
    co_await takes(w, sender, "10.0.0.1:6443");
    co_await w->walk();
    EXPECT_THAT(w->relays.asked, IsEmpty());
    co_await takes(w, sender, "relay");
    co_await w->walk();
    EXPECT_THAT(w->relays.asked, SizeIs(1));
    EXPECT_EQ(w->relays.asked.begin()->first.str(), "shop/" + sender);
    EXPECT_THAT(w->relays.asked.begin()->second.str(), HasSubstr("boutique/rsync-server-"));
    EXPECT_EQ(string_at(w->object["status"]["runningPods"][0], "way"), "relay");

    w->relays.failure = Error(Code::kForbidden, "cannot get pods/portforward");
    co_await w->walk();
    EXPECT_EQ(string_at(w->object["status"]["rsyncOperations"][0], "relayFailure"), "cannot get pods/portforward");
    EXPECT_TRUE(api::has_condition(w->object, "RsyncRelayFailing"));
    w->relays.failure.reset();
    co_await w->walk();
    EXPECT_FALSE(w->object["status"]["rsyncOperations"][0].contains("relayFailure"));
    EXPECT_FALSE(api::has_condition(w->object, "RsyncRelayFailing"));

    const auto senders = co_await w->pods(west, "shop");
    co_await w->fare(west, senders.at(0), kKilled);
    co_await w->walk();
    EXPECT_THAT(w->relays.asked, IsEmpty());
  });
}

TEST(Walk, AFailureTellsOfTheRelayToo) {
  in_a_world([](World* w) -> Task<void> {
    w->object["spec"]["backOffLimit"] = 1;
    const auto sender = co_await sender_at_work(w);
    co_await takes(w, sender, "relay");
    w->relays.failure = Error(Code::kForbidden, "cannot get pods/portforward");
    co_await w->walk();
    const auto senders = co_await w->pods(w->west->client(), "shop");
    co_await w->fare(w->west->client(), senders.at(0), kKilled);
    w->clock.time += 1min;
    co_await w->walk();
    EXPECT_THAT(strings_at(w->object, "status.errors"),
                Contains(::testing::AllOf(HasSubstr("OOMKilled"), HasSubstr("; cannot get pods/portforward"))));
  });
}

TEST(Walk, ByARelayAloneIfTheDestinationSaysSo) {
  in_a_world([](World* w) -> Task<void> {
    const auto east = w->east->client();
    co_await east->create(kube::types::config_maps(),
                          parse_yaml_one("{metadata: {name: migration-cluster-config, namespace: openshift-migration}, "
                                         "data: {RSYNC_ENDPOINT_TYPE: Relay}}"));
    co_await sender_at_work(w);
    EXPECT_THAT(co_await kube::list_all(*east, kube::types::services(), "boutique"), IsEmpty());
    const auto senders = co_await w->pods(w->west->client(), "shop");
    const auto args = strings_at(senders.at(0)["spec"]["containers"][0], "args");
    EXPECT_THAT(args, ::testing::Not(Contains("--to")));
    EXPECT_THAT(args, Contains("--forwarded"));
  });
}

// BUG 2 of direct-volume.md: exhausted attempts end with empty `errors`, and the owner goes on.
TEST(Walk, AFailureNamesClaimPodAndCauseAndTidiesUp) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    co_await w->walk();
    for (auto& pod : co_await w->pods(east, "boutique")) co_await w->fare(east, pod, kRunning);
    co_await w->walk();
    for (auto& pod : co_await w->pods(west, "shop")) co_await w->fare(west, pod, kUnreadable);
    w->clock.time += 1min;
    co_await w->walk();
    EXPECT_EQ(w->phases.back(), "Completed");
    const auto errors = strings_at(w->object, "status.errors");
    EXPECT_THAT(errors, Contains(HasSubstr("PersistentVolumeClaim shop/data was not copied to boutique/data: Pod "
                                           "shop/rsync-")));
    EXPECT_THAT(errors, Contains(HasSubstr("secret.txt: permission denied")));
    EXPECT_THAT(errors, Contains("1 more claims were not begun."));
    EXPECT_TRUE(api::has_condition(w->object, "Failed"));
    EXPECT_FALSE(api::has_condition(w->object, "Succeeded"));
    EXPECT_THAT(co_await w->pods(west, "shop"), IsEmpty());
    EXPECT_THAT(co_await w->pods(east, "boutique"), IsEmpty());
  });
}

TEST(Walk, AKilledSenderIsFollowedByAnother) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    co_await w->walk();
    for (auto& pod : co_await w->pods(east, "boutique")) co_await w->fare(east, pod, kRunning);
    co_await w->walk();
    for (auto& pod : co_await w->pods(west, "shop")) co_await w->fare(west, pod, kKilled);
    co_await w->walk();  // the receiver of the attempt goes first
    EXPECT_THAT(co_await w->pods(east, "boutique"), IsEmpty());
    co_await w->walk();
    const auto receivers = co_await w->pods(east, "boutique");
    EXPECT_THAT(receivers, SizeIs(1));
    EXPECT_EQ(kube::label(receivers.at(0), api::labels::kAttempt), "2");
    EXPECT_EQ(int_at(w->object["status"]["rsyncOperations"][0], "currentAttempt"), 2);
  });
}

TEST(Walk, AForeignClaimOnTheDestinationEndsItBeforeAnythingIsMade) {
  in_a_world([](World* w) -> Task<void> {
    const auto east = w->east->client();
    co_await east->create(kube::types::namespaces(), parse_yaml_one("{metadata: {name: boutique}}"));
    co_await east->create(kClaims, parse_yaml_one("{metadata: {name: logs, namespace: boutique}, spec: {accessModes: "
                                                  "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}"));
    co_await w->walk();
    EXPECT_EQ(w->phases.back(), "Completed");
    EXPECT_THAT(strings_at(w->object, "status.errors"), ElementsAre(HasSubstr("boutique/logs is on the destination")));
    EXPECT_FALSE(co_await east->get(kClaims, {"boutique", "data"}));
  });
}

TEST(Walk, SecretsOfARunThatWasCutShortAreMadeAnew) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client(), east = w->east->client();
    while (string_at(w->object, "status.phase") != "CreateStunnelConfig") co_await w->pass();
    const auto ours = kube::ListOptions{.label_selector = "directvolumemigration=dvm-uid"};
    const auto ca = [](const Json& secret) { return dump(*member(object_at(secret, "data"), "ca.crt")); };
    const auto senders = co_await kube::list_all(*west, kube::types::secrets(), "shop", ours);
    const auto before = ca(senders.at(0));
    // The controller died between the source's and the destination's.
    const auto receivers = co_await kube::list_all(*east, kube::types::secrets(), "boutique", ours);
    co_await east->remove(kube::types::secrets(), kube::key_of(receivers.at(0)));
    w->object["status"]["phase"] = "CreateRsyncConfig";
    co_await w->pass();
    const auto after = co_await kube::list_all(*west, kube::types::secrets(), "shop", ours);
    const auto made = co_await kube::list_all(*east, kube::types::secrets(), "boutique", ours);
    EXPECT_NE(ca(after.at(0)), before);
    EXPECT_EQ(ca(after.at(0)), ca(made.at(0)));
    EXPECT_EQ(string_at(made.at(0), "type"), "kubernetes.io/tls");
    // A second run finds them complete and leaves them alone.
    w->object["status"]["phase"] = "CreateRsyncConfig";
    co_await w->pass();
    EXPECT_EQ(co_await kube::list_all(*west, kube::types::secrets(), "shop", ours), after);
  });
}

// §17: the original removes the helpers of every DirectVolumeMigration in a namespace.
TEST(Walk, HelpersOfOthersStay) {
  in_a_world([](World* w) -> Task<void> {
    const auto west = w->west->client();
    const auto secret = [](const char* name, const char* dvm, const char* plan) {
      Json out = {
          {"metadata",
           {{"namespace", "shop"},
            {"name", name},
            {"labels",
             {{kAppLabel, kApp}, {api::labels::kDirectVolumeMigration, dvm}, {api::labels::kMigratedByPlan, plan}}}}}};
      return out;
    };
    co_await west->create(kube::types::secrets(), secret("theirs", "other", "other-plan"));
    co_await west->create(kube::types::secrets(), secret("stale", "older", "plan-uid"));
    co_await w->walk();
    EXPECT_TRUE(co_await west->get(kube::types::secrets(), {"shop", "theirs"}));
    EXPECT_FALSE(co_await west->get(kube::types::secrets(), {"shop", "stale"}));
  });
}

TEST(Walk, DeletionTakesItsHelpersAndLeavesClaims) {
  in_a_world([](World* w) -> Task<void> {
    const auto east = w->east->client();
    co_await w->walk();
    api::Conditions conditions(Json(), w->clock);
    Copying c;
    c.self = api::DirectVolumeMigration::parse(w->object);
    c.source = w->west->client();
    c.destination = east;
    c.clock = &w->clock;
    std::vector<Subject> wake_on;
    EXPECT_TRUE(co_await remove_helpers(&c, &wake_on));
    EXPECT_THAT(co_await helpers(c, selector_of(c)), IsEmpty());
    EXPECT_TRUE(co_await east->get(kClaims, {"boutique", "data"}));
  });
}

}  // namespace
}  // namespace mtc::migrate::volumes
