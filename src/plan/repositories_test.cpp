#include "plan/repositories.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "async/runtime.hpp"
#include "blob/bucket_server.hpp"
#include "json/yaml.hpp"
#include "kube/config.hpp"
#include "plan/checks.hpp"
#include "plan/types.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A host, and a bucket that a MigStorage of it describes.
struct World {
  std::unique_ptr<sandbox::Cluster> cluster;
  std::unique_ptr<blob::BucketServer> server;
  std::unique_ptr<Connections> connections;
  blob::StorePtr bucket = blob::make_memory_store();
  SeededRng rng{3};
  api::MigStorage storage;

  kube::ClientPtr host() const { return cluster->client(); }

  Task<api::MigPlan> plan(std::string name) {
    Json object = parse_yaml_one(
        "{metadata: {namespace: openshift-migration}, spec: {migStorageRef: {namespace: "
        "openshift-migration, name: bucket}, namespaces: [shop]}}");
    object["metadata"]["name"] = name;
    co_return api::MigPlan::parse(co_await host()->create(types::mig_plans(), object));
  }

  Task<std::vector<std::string>> sweep() {
    api::Conditions conditions(Json(), system_clock());
    co_await sweep_repositories(connections.get(), storage, &conditions);
    std::vector<std::string> said;
    for (const auto& condition : conditions.current()) said.push_back(condition.type);
    co_return said;
  }

  Task<std::size_t> keys() {
    const kube::ListOptions options{.label_selector = api::labels::kRepositoryKey};
    const auto found = co_await kube::list_all(*host(), kube::types::secrets(), api::kNamespace, options);
    co_return found.size();
  }
};

void in_a_world(std::function<Task<void>(World*)> body) {
  async::Runtime().run([](std::function<Task<void>(World*)> run) -> Task<void> {
    World w;
    w.cluster = co_await sandbox::Cluster::start({.run_workloads = false});
    co_await bootstrap_host(w.host());
    w.connections = std::make_unique<Connections>(w.host());
    blob::BucketServerOptions options;
    options.access_key_id = "id";
    options.secret_access_key = Secret("key");
    options.buckets = {{"migration", w.bucket}};
    w.server = co_await blob::BucketServer::start(std::move(options));
    co_await w.host()->create(
        kube::types::secrets(),
        parse_yaml_one("{metadata: {namespace: openshift-config, name: keys}, data: {aws-access-key-id: aWQ=, "
                       "aws-secret-access-key: a2V5}}"));
    w.storage.self = {api::kNamespace, "bucket"};
    w.storage.provider = "aws";
    w.storage.bucket = "migration";
    w.storage.url = w.server->url();
    w.storage.credentials = {api::kConfigNamespace, "keys"};
    co_await run(&w);
    co_await w.server->stop();
    co_await w.cluster->stop();
  }(std::move(body)));
}

TEST(Repositories, HaveOnePasswordAPlanThatNobodyCanGuess) {
  in_a_world([](World* w) -> Task<void> {
    const auto plan = co_await w->plan("a"), other = co_await w->plan("b");
    const auto storage = w->storage.self;
    const auto password = co_await ensure_repository_key(w->connections.get(), plan, storage, &w->rng);
    EXPECT_EQ(password.reveal().size(), 64U);
    EXPECT_EQ(co_await ensure_repository_key(w->connections.get(), plan, storage, &w->rng), password);
    EXPECT_NE(co_await ensure_repository_key(w->connections.get(), other, storage, &w->rng), password);
    EXPECT_EQ(repository_prefix("uid", "shop"), "velero/restic/uid/shop");
  });
}

TEST(Repositories, GoWithTheirPlanAndWithNoOther) {
  in_a_world([](World* w) -> Task<void> {
    const auto gone = co_await w->plan("gone"), closed = co_await w->plan("closed"), open = co_await w->plan("open");
    for (const auto& plan : {gone, closed, open}) {
      co_await ensure_repository_key(w->connections.get(), plan, w->storage.self, &w->rng);
      co_await w->bucket->put(repository_prefix(plan.uid, "shop") + "/config", "x");
    }
    // Another host's, of which we know nothing.
    co_await w->bucket->put(repository_prefix("stranger", "shop") + "/config", "x");
    EXPECT_THAT(co_await w->sweep(), IsEmpty());
    EXPECT_EQ(co_await w->keys(), 3U);

    co_await w->host()->remove(types::mig_plans(), {api::kNamespace, "gone"});
    const Json close = {{"spec", {{"closed", true}}}};
    co_await w->host()->patch(types::mig_plans(), {api::kNamespace, "closed"}, kube::PatchKind::kMerge, close);
    EXPECT_THAT(co_await w->sweep(), IsEmpty());
    EXPECT_EQ(co_await w->keys(), 1U);
    const auto left = (co_await w->bucket->list("velero/restic/", "/")).prefixes;
    EXPECT_THAT(left, testing::UnorderedElementsAre("velero/restic/" + open.uid + "/", "velero/restic/stranger/"));
  });
}

TEST(Repositories, ThatABucketDoesNotGiveUpAreToldOf) {
  in_a_world([](World* w) -> Task<void> {
    const auto plan = co_await w->plan("gone");
    co_await ensure_repository_key(w->connections.get(), plan, w->storage.self, &w->rng);
    co_await w->host()->remove(types::mig_plans(), {api::kNamespace, "gone"});
    w->storage.bucket = "another";
    EXPECT_THAT(co_await w->sweep(), ElementsAre("RepositoriesNotRemoved"));
    EXPECT_EQ(co_await w->keys(), 1U) << "it is how the next pass knows of them";
  });
}

}  // namespace
}  // namespace mtc::plan
