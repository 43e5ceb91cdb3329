#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/config.hpp"
#include "plan/checks.hpp"
#include "plan/testing/world.hpp"

namespace mtc::plan {
namespace {

using plan_testing::on_cluster;
using plan_testing::World;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto kVolume =
    "[{name: pv, pvc: {namespace: shop, name: data, accessModes: [ReadWriteOnce], volumeMode: Filesystem}, "
    "selection: {action: copy, copyMethod: filesystem, storageClass: standard}}]";

/// A client of an account that may do what `role` allows everywhere.
Task<kube::ClientPtr> as(World* w, std::string role) {
  co_await w->create(kube::types::service_accounts(), "{metadata: {name: " + role + "}}");
  co_await w->create(kube::types::cluster_role_bindings(),
                     "{metadata: {name: " + role +
                         "}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: " + role +
                         "}, subjects: [{kind: ServiceAccount, name: " + role + ", namespace: shop}]}");
  const auto answer = co_await w->client->raw("POST", "/api/v1/namespaces/shop/serviceaccounts/" + role + "/token",
                                              parse_yaml_one("{spec: {}}"));
  kube::Connection connection;
  connection.url = w->client->url();
  connection.insecure = true;
  connection.token = Secret(string_at(answer, "status.token"));
  co_return kube::make_client(connection);
}

Task<std::vector<std::string>> look(World* w, std::string role) {
  w->plan.persistent_volumes = parse_yaml_one(kVolume);
  w->plan.indirect_volumes = false;
  w->world.source_client = co_await as(w, role);
  co_await check_movers(w->plan, &w->world, &w->conditions);
  co_return w->said();
}

Task<void> say(World* w, std::string endpoint_type) {
  co_await w->create(kube::types::namespaces(), "{metadata: {name: openshift-migration}}");
  co_await w->create(kube::types::config_maps(),
                     "{metadata: {name: migration-cluster-config, namespace: openshift-migration}, data: "
                     "{RSYNC_ENDPOINT_TYPE: " +
                         endpoint_type + "}}");
}

TEST(CheckMovers, NamesWhatAnAccountMayNot) {
  on_cluster([](World* w) -> Task<void> {
    EXPECT_THAT(
        co_await look(w, "view"),
        ElementsAre(AllOf(HasSubstr("VolumePrivilegesMissing Unauthorized: "), HasSubstr("source: create pods in shop"),
                          HasSubstr("source: create services in shop"), Not(HasSubstr("portforward")),
                          Not(HasSubstr("destination")))));
  });
}

TEST(CheckMovers, AsksForPortsWhereTheRelayIsTheOnlyWay) {
  on_cluster([](World* w) -> Task<void> {
    co_await say(w, "Relay");
    EXPECT_THAT(co_await look(w, "view"),
                ElementsAre(AllOf(HasSubstr("source: get pods/portforward in shop"),
                                  HasSubstr("source: create pods/portforward in shop"), Not(HasSubstr("services")))));
  });
}

TEST(CheckMovers, IsSilentWhereAllIsAllowed) {
  on_cluster([](World* w) -> Task<void> {
    co_await say(w, "Relay");
    EXPECT_THAT(co_await look(w, "admin"), IsEmpty());
  });
}

}  // namespace
}  // namespace mtc::plan
