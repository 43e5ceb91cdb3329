#include "plan/checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/yaml.hpp"
#include "plan/testing/world.hpp"

namespace mtc::plan {
namespace {

using plan_testing::on_cluster;
using plan_testing::World;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(CheckPods, NamesWhatIsUnhealthyOrBoundToNodesOrCannotBeStopped) {
  on_cluster([](World* w) -> Task<void> {
    co_await w->create(kube::types::pods(),
                       "{metadata: {name: lonely}, spec: {nodeSelector: {disk: ssd, kubernetes.io/arch: amd64}, "
                       "containers: [{name: c, image: x}]}}");
    const Json failing = {{"status", {{"phase", "Failed"}}}};
    co_await w->create(kube::types::pods(), "{metadata: {name: sick}, spec: {containers: [{name: c, image: x}]}}");
    co_await w->client->patch(kube::types::pods(), {"shop", "sick"}, kube::PatchKind::kMerge, failing,
                              {.subresource = "status"});
    const Json running = {{"status", {{"phase", "Running"}}}};
    co_await w->client->patch(kube::types::pods(), {"shop", "lonely"}, kube::PatchKind::kMerge, running,
                              {.subresource = "status"});
    w->world.settings.pod_limit = 0;
    const auto unhealthy = co_await check_pods(w->plan, &w->world, &w->conditions);
    EXPECT_EQ(dump(unhealthy), R"([{"name":"shop","workloads":[{"name":"Pods","resources":["sick"]}]}])");
    EXPECT_THAT(w->said(), Contains(HasSubstr("PodLimitExceeded LimitExceeded: Pods limit: 0 exceeded, found: 1")));
    EXPECT_THAT(w->said(), Contains(HasSubstr("NamespacesHaveNodeSelectors NodeSelectorsDetected")));
    EXPECT_THAT(w->said(), Contains(HasSubstr("SourcePodsNotHealthy NotHealthy: Source namespaces [shop]")));
    EXPECT_THAT(w->said(), Contains(HasSubstr("WorkloadsCannotBeQuiesced NotSupported: `quiescePods` cannot stop pods "
                                              "[shop/lonely]")));
  });
}

TEST(CheckSurroundings, IsSilentWhereNothingIsWrong) {
  on_cluster([](World* w) -> Task<void> {
    co_await check_surroundings(w->plan, &w->world, &w->conditions);
    EXPECT_THAT(w->said(), testing::IsEmpty());
  });
}

TEST(CheckSurroundings, ComparesTheIdentitiesOfNamespaces) {
  on_cluster([](World* w) -> Task<void> {
    co_await w->create(kube::types::namespaces(),
                       "{metadata: {name: boutique, annotations: {openshift.io/sa.scc.uid-range: 1000/10000}}}");
    co_await check_surroundings(w->plan, &w->world, &w->conditions);
    EXPECT_THAT(w->said(), Contains(HasSubstr("IntraClusterMigration ConflictingPermissions: Destination namespaces "
                                              "[boutique]")));
  });
}

TEST(CheckSurroundings, LooksAtProxiesAndIncludedKindsAndLengths) {
  on_cluster([](World* w) -> Task<void> {
    co_await w->create(kube::types::namespaces(), "{metadata: {name: openshift-migration}}");
    co_await w->create(
        kube::types::secrets(),
        "{metadata: {name: proxy, namespace: openshift-migration, labels: {migration-proxy-config: 'true'}}, "
        "stringData: {PROXY: x}}");
    w->plan.included_resources = parse_yaml_one("[{kind: Secret}, {group: example.com, kind: Widget}]");
    w->plan.indirect_volumes = false;
    w->plan.namespaces[0].destination = std::string(60, 'x');
    co_await check_surroundings(w->plan, &w->world, &w->conditions);
    EXPECT_THAT(w->said(), Contains(HasSubstr("SourceClusterProxySecretMisconfigured KeyNotFound")));
    EXPECT_THAT(w->said(), Contains(HasSubstr("DestinationClusterProxySecretMisconfigured KeyNotFound")));
    EXPECT_THAT(w->said(), Contains(HasSubstr("does not serve the `includedResources` [Widget.example.com]")));
    EXPECT_THAT(w->said(), Contains(HasSubstr("NamespaceLengthExceeded LengthExceeded")));
    EXPECT_THAT(w->said(), Not(Contains(HasSubstr("NoRegistryPath"))));
  });
}

}  // namespace
}  // namespace mtc::plan
