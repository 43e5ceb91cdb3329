#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/archive.hpp"
#include "backup/engine.hpp"
#include "backup/files.hpp"
#include "backup/item_rules.hpp"
#include "backup/restore_order.hpp"
#include "backup/selection.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"
#include "json/yaml.hpp"
#include "kube/config.hpp"
#include "kube/follow.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::backup {
namespace {

using net::testing::failure_of;
using net::testing::run;
using testing::ElementsAre;
using testing::HasSubstr;

kube::Discovery some_discovery() {
  const std::vector<std::string> verbs = {"create", "delete", "get", "list"};
  const auto entry = [&](kube::ResourceType type) { return kube::Discovery::Entry{type, verbs, {}, "", true}; };
  return kube::Discovery({entry(kube::types::pods()),
                          entry(kube::types::deployments()),
                          entry(kube::types::nodes()),
                          entry({"extensions", "v1beta1", "deployments", "Deployment"}),
                          {kube::types::events(), {"list"}, {}, "", true},
                          entry(kube::types::secrets())});
}

TEST(Selection, TakesWhatCanBeMovedOnce) {
  const auto all = select(parse_yaml_one("includedNamespaces: [shop]"), some_discovery());
  std::vector<std::string> names;
  for (const auto& type : all.types) names.push_back(type.group_resource());
  EXPECT_THAT(names, ElementsAre("pods", "deployments.apps", "secrets"));
  const auto some = select(
      parse_yaml_one(
          "{includedNamespaces: [shop], excludedResources: [secrets, pod], labelSelector: {matchLabels: {a: b}}}"),
      some_discovery());
  EXPECT_EQ(some.types.size(), 1u);
  EXPECT_EQ(some.label_selector, "a=b");
  EXPECT_THROW(select(Json::object(), some_discovery()), Error);
}

TEST(Archive, HoldsWhatWasWrittenUnderVelerosPaths) {
  run([]() -> Task<void> {
    const auto store = blob::make_memory_store();
    SeededRng rng(1);
    const std::size_t count = 300;
    {
      ArchiveWriter writer(co_await store->create("a.tar.gz"));
      for (std::size_t i = 0; i < count; ++i) {
        const Json object = {{"apiVersion", "v1"},
                             {"metadata", {{"namespace", "shop"}, {"name", "c" + std::to_string(i)}}},
                             {"data", {{"k", std::string(rng.below(5000), 'x')}}}};
        co_await writer.add(kube::types::config_maps(), &object);
      }
      const Json role = {{"metadata", {{"name", "system:x"}}}};
      co_await writer.add(kube::types::cluster_roles(), &role);
      co_await writer.commit();
    }
    const auto archive = co_await Archive::fetch(store.get(), "a.tar.gz");
    EXPECT_EQ(archive->objects().size(), count + 1);
    const auto& last = archive->objects().back();
    EXPECT_EQ(last.group_resource, "clusterroles.rbac.authorization.k8s.io");
    EXPECT_EQ(last.name, "system:x");
    EXPECT_EQ(string_at(archive->read(archive->objects().at(7)), "metadata.name"), "c7");
    auto tight = [](blob::StorePtr s) -> Task<void> { co_await Archive::fetch(s.get(), "a.tar.gz", {.entries = 10}); };
    EXPECT_THAT(co_await failure_of(tight(store)), HasSubstr("more than 10 files"));
  }());
}

TEST(Archive, RefusesWhatIsNoArchive) {
  run([]() -> Task<void> {
    const auto store = blob::make_memory_store();
    co_await store->put("broken", "this is no gzip");
    auto fetch = [](blob::StorePtr s, std::string key) -> Task<void> { co_await Archive::fetch(s.get(), key); };
    EXPECT_THAT(co_await failure_of(fetch(store, "broken")), HasSubstr("no readable archive"));
    EXPECT_THAT(co_await failure_of(fetch(store, "absent")), HasSubstr("does not exist"));
  }());
}

TEST(RestoreOrder, PutsFoundationsFirst) {
  EXPECT_THAT(restore_order({"widgets.example.com", "deployments.apps", "services", "secrets", "namespaces",
                             "customresourcedefinitions.apiextensions.k8s.io", "clusters.cluster.x-k8s.io"}),
              ElementsAre("customresourcedefinitions.apiextensions.k8s.io", "namespaces", "secrets", "services",
                          "deployments.apps", "widgets.example.com", "clusters.cluster.x-k8s.io"));
}

TEST(Rules, SkipWhatTheClusterMakesAgainAndSayWhy) {
  RestoreContext context;
  context.owners["u1"] = "ReplicaSet web-1";
  context.services["shop/web"] = true;
  const auto why = [&](const char* kind, const char* name, const char* yaml) {
    return reason_to_skip({kind, "shop", name}, parse_yaml_one(yaml), context).value_or("restored");
  };
  EXPECT_EQ(why("pods", "p", "metadata: {ownerReferences: [{kind: ReplicaSet, uid: u1}]}"),
            "made again by ReplicaSet web-1");
  EXPECT_EQ(why("pods", "p", "metadata: {ownerReferences: [{kind: ReplicaSet, uid: gone}]}"), "restored");
  EXPECT_EQ(why("deployments.apps", "d", "metadata: {ownerReferences: [{kind: Database, uid: u1}]}"), "restored");
  EXPECT_EQ(why("pods", "p", "status: {phase: Succeeded}"), "it has finished");
  EXPECT_EQ(why("configmaps", "kube-root-ca.crt", "{}"), "the cluster makes its own");
  EXPECT_EQ(why("endpoints", "web", "{}"), "made again for Service web");
  EXPECT_EQ(why("endpoints", "external", "{}"), "restored");
  EXPECT_EQ(why("events", "e", "{}"), "objects of this kind describe the source cluster");
}

TEST(Rules, AdaptWhatBelongsToTheSource) {
  RestoreContext context;
  context.namespace_mapping["shop"] = "boutique";
  context.labels["l"] = "v";
  auto service = parse_yaml_one(
      "{metadata: {name: web, namespace: shop, uid: u, resourceVersion: '1'}, spec: {clusterIP: 10.0.0.1, clusterIPs: "
      "[10.0.0.1], ports: [{port: 80, nodePort: 30000}]}, status: {x: 1}}");
  EXPECT_THAT(adapt({"services", "shop", "web"}, service, context),
              ElementsAre("a new cluster IP", "new node ports", "in namespace boutique"));
  EXPECT_EQ(dump(service),
            R"({"metadata":{"labels":{"l":"v"},"name":"web","namespace":"boutique"},"spec":{"ports":[{"port":80}]}})");
  auto headless = parse_yaml_one("{metadata: {name: web, namespace: other}, spec: {clusterIP: None}}");
  EXPECT_TRUE(adapt({"services", "other", "web"}, headless, context).empty());
  EXPECT_EQ(string_at(headless, "spec.clusterIP"), "None");
  auto binding = parse_yaml_one(
      "{metadata: {name: b, namespace: shop}, subjects: [{kind: ServiceAccount, name: a, namespace: shop}]}");
  adapt({"rolebindings.rbac.authorization.k8s.io", "shop", "b"}, binding, context);
  EXPECT_EQ(string_at(binding["subjects"][0], "namespace"), "boutique");
}

TEST(Rules, LabelValuesFitIntoLabels) {
  EXPECT_EQ(label_value("the-really-long-kube-service-name-that-is-much-greater-than-63-characters"),
            "the-really-long-kube-service-name-that-is-much-greater-th8a11b3");
}

TEST(Difference, IgnoresWhatTheServerAdds) {
  EXPECT_EQ(first_difference(parse_json(R"({"a":{"b":1},"e":[]})"), parse_json(R"({"a":{"b":1,"c":2}})")), "");
  EXPECT_EQ(first_difference(parse_json(R"({"a":{"b":1}})"), parse_json(R"({"a":{"b":2}})")), "a.b");
  EXPECT_EQ(first_difference(parse_json(R"({"a":[{"b":1}]})"), parse_json(R"({"a":[{"b":2}]})")), "a.[0].b");
}

TEST(Gzip, RoundTripsWithinItsLimit) {
  const std::string text(100'000, 'x');
  EXPECT_EQ(gunzip(gzip(text), 200'000), text);
  EXPECT_THROW(gunzip(gzip(text), 1000), Error);
  EXPECT_THROW(gunzip("nonsense", 1000), Error);
}

/// A whole application through a real API server, mapped into another namespace.
TEST(RealServer, AnApplicationTravels) {
  const char* path = std::getenv("MTC_TEST_KUBECONFIG");
  if (path == nullptr) GTEST_SKIP() << "MTC_TEST_KUBECONFIG names no cluster; `make lab-test` sets it";
  run([](std::string file) -> Task<void> {
    const auto client = kube::make_client(kube::Kubeconfig::load(file).connection());
    const auto ns = "backup-test-" + name_suffix(system_rng());
    co_await client->create(kube::types::namespaces(), {{"metadata", {{"name", ns}}}});
    const auto in = [&](const char* yaml) {
      auto object = parse_yaml_one(yaml);
      object["metadata"]["namespace"] = ns;
      return object;
    };
    co_await client->create(kube::types::config_maps(),
                            in("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {k: v}}"));
    co_await client->create(kube::types::services(), in("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: "
                                                        "{selector: {app: web}, ports: [{port: 80}]}}"));
    co_await client->create(kube::types::deployments(),
                            in("{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 1, "
                               "selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: "
                               "{containers: [{name: c, image: 'lab.mtc/pause:1'}]}}}}"));
    Environment environment{.cluster = client, .store = blob::make_memory_store()};
    const Json backup = {{"kind", "Backup"},
                         {"apiVersion", "velero.io/v1"},
                         {"metadata", {{"name", "b"}, {"uid", "u"}}},
                         {"spec", {{"includedNamespaces", {ns}}}}};
    const auto stored = co_await run_backup(environment, backup, {});
    EXPECT_TRUE(stored.complete()) << dump(results_file(stored));
    const Json restore = {{"metadata", {{"name", "r"}}},
                          {"spec", {{"backupName", "b"}, {"namespaceMapping", {{ns, ns + "-copy"}}}}}};
    for (int again = 0; again < 2; ++again) {
      const auto restored = co_await run_restore(environment, restore, {});
      EXPECT_TRUE(restored.complete()) << dump(results_file(restored));
      EXPECT_EQ(restored.items.size(), static_cast<std::size_t>(std::ranges::count_if(stored.items, [](const auto& i) {
                  return i.fate == ItemResult::Fate::kStored;
                })));
    }
    EXPECT_TRUE(co_await client->get(kube::types::deployments(), {ns + "-copy", "web"}));
    for (const auto& name : {ns, ns + "-copy"}) co_await client->remove(kube::types::namespaces(), {"", name});
  }(path));
}

}  // namespace
}  // namespace mtc::backup
