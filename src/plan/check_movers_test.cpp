#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "plan/quotas.hpp"
#include "plan/testing/world.hpp"
#include "sandbox/testing/helpers.hpp"

namespace mtc::plan {
namespace {

using plan_testing::World;
using sandbox::testing::Server;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto kAccount = "mover";

/// A plan with one volume to copy, whose source is seen by an account without any rights.
void by_an_account(std::function<Task<void>(World*, Server)> body) {
  async::Runtime().run([](std::function<Task<void>(World*, Server)> run) -> Task<void> {
    const auto cluster = co_await sandbox::Cluster::start({.run_workloads = false});
    World world(cluster.get());
    for (const auto* ns : {"shop", "boutique", api::kNamespace})
      co_await world.client->create(kube::types::namespaces(), {{"metadata", {{"name", ns}}}});
    world.plan.persistent_volumes = parse_yaml_one(
        "[{name: pv, pvc: {namespace: shop, name: data}, selection: {action: copy, copyMethod: filesystem}}]");
    Server server{cluster->client(), cluster->admin(), api::kNamespace};
    const auto token = co_await sandbox::testing::account_token(server, kAccount);
    world.world.source_client = sandbox::testing::client_of(server, token);
    co_await run(&world, server);
    co_await cluster->stop();
  }(std::move(body)));
}

Task<std::string> lacking(World* w) {
  api::Conditions conditions(Json(), system_clock());
  co_await check_movers(w->plan, &w->world, &conditions);
  EXPECT_TRUE(conditions.has("VolumePrivilegesMissing"));
  co_return conditions.current().front().message;
}

TEST(CheckMovers, SaysWhatTheAccountsLack) {
  by_an_account([](World* w, Server s) -> Task<void> {
    constexpr auto kSettings = "source: get configmaps migration-cluster-config in openshift-migration";
    EXPECT_THAT(co_await lacking(w), AllOf(HasSubstr("source: create pods in shop"), HasSubstr("source: get pods/log"),
                                           HasSubstr(kSettings), Not(HasSubstr("destination"))));
    co_await sandbox::testing::grant(
        s, kAccount,
        "[{apiGroups: [''], resources: [configmaps], resourceNames: [migration-cluster-config], verbs: [get]}]");
    EXPECT_THAT(co_await lacking(w), AllOf(HasSubstr("source: create pods in shop"), Not(HasSubstr(kSettings))));
  });
}

TEST(CheckMovers, AsksForPatchesOnlyWhereClaimsAreToGrow) {
  by_an_account([](World* w, Server) -> Task<void> {
    std::swap(w->world.source_client, w->world.destination_client);
    constexpr auto kPatch = "destination: patch persistentvolumeclaims in boutique";
    EXPECT_THAT(co_await lacking(w), Not(HasSubstr(kPatch)));
    w->world.growing = {"boutique"};
    EXPECT_THAT(co_await lacking(w), HasSubstr(kPatch));
  });
}

TEST(Quotas, ThatNobodyMaySeeAreNoneAndLookedAtByTheClock) {
  by_an_account([](World* w, Server) -> Task<void> {
    EXPECT_FALSE(co_await quotas_of(w->world.source_client, "shop"));
    co_await await_quotas(w->world.source_client, "shop", &w->world);
    EXPECT_EQ(w->world.look_again, std::chrono::minutes(1));
    EXPECT_THAT(w->world.awaited, testing::IsEmpty());
  });
}

}  // namespace
}  // namespace mtc::plan
