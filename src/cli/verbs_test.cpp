#include "cli/verbs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "async/runtime.hpp"
#include "cli/account.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/testing/recording_console.hpp"
#include "cli/user_error.hpp"
#include "json/json.hpp"
#include "kube/follow.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::cli {
namespace {

using ::testing::HasSubstr;

/// A host, another cluster, and a user at them. No controller works here: a test writes the statuses it needs.
struct World {
  std::unique_ptr<sandbox::Cluster> west, east;
  testing::RecordingConsole console;
  Session session() { return {west->client(), &console}; }
};

void in_world(std::function<Task<void>(World*)> test) {
  async::Runtime().run([](std::function<Task<void>(World*)> body) -> Task<void> {
    World world;
    world.west = co_await sandbox::Cluster::start({.name = "west"});
    world.east = co_await sandbox::Cluster::start({.name = "east"});
    std::exception_ptr failure;
    try {
      co_await body(&world);
    } catch (...) {  // The clusters end first.
      failure = std::current_exception();
    }
    co_await world.east->stop();
    co_await world.west->stop();
    if (failure) std::rethrow_exception(failure);
  }(std::move(test)));
}

/// The failure of a verb: message and next command.
Task<std::string> failure_of(Task<void> verb) {
  std::string out = "no failure";
  try {
    co_await std::move(verb);
  } catch (const UserError& error) {
    out = std::string(error.what()) + " | " + error.next();
  } catch (const Error& error) {
    out = error.what();
  }
  co_return out;
}

Task<void> prepare(World* world) {
  co_await add_cluster(world->session(), {.name = "west", .is_host = true});
  co_await add_remote_cluster(world->session(), "east", world->east->admin());
  co_await add_storage(world->session(),
                       {.bucket = {.name = "minio", .bucket = "b"}, .access_key_id = "i", .secret_access_key = "k"});
  co_await create_plan(world->session(), {.name = "shop",
                                          .source = "west",
                                          .destination = "east",
                                          .storage = "minio",
                                          .namespaces = {"shop"},
                                          .direct_images = true});
}

Task<void> set_status(World* world, std::string word, std::string name, Json status) {
  const Json patch = {{"status", std::move(status)}};
  co_await world->west->client()->patch(kind_of(word).type, {api::kNamespace, name}, kube::PatchKind::kMerge, patch);
}

Json condition(const char* type, const char* category) {
  return {{"type", type},
          {"category", category},
          {"status", "True"},
          {"message", std::string("about ") + type},
          {"lastTransitionTime", "2021-02-02T15:04:09Z"}};
}

Task<void> registers(World* world) {
  EXPECT_EQ(co_await failure_of(get(world->session(), kind_of("plan"), "", Output::kTable)),
            "cluster " + world->west->url() +
                " knows no MigPlan: no controller has worked with it yet | mtc controller   (leave it running; or name "
                "another host by --kubeconfig)");
  co_await prepare(world);
  EXPECT_EQ(world->console.take(),
            "MigCluster west added: the host itself\nMigCluster east added: " + world->east->url() +
                "\nMigStorage minio added: bucket b\nMigPlan shop created: shop from west to "
                "east\n");
  const auto plan = co_await must_find(world->session(), kind_of("plan"), "shop");
  EXPECT_FALSE(bool_at(plan, "spec.indirectImageMigration", true));
  EXPECT_FALSE(bool_at(plan, "spec.indirectVolumeMigration", true));
  EXPECT_EQ(co_await failure_of(add_cluster(world->session(), {.name = "west", .is_host = true})),
            "MigCluster west exists already | mtc cluster describe west");
  EXPECT_EQ(co_await failure_of(create_plan(world->session(), {.name = "x", .source = "wes"})),
            "MigCluster wes does not exist; did you mean west? | mtc cluster get");
}
TEST(Verbs, RegisterWhatMoves) { in_world(registers); }

Task<void> shows(World* world) {
  co_await prepare(world);
  world->console.take();
  co_await get(world->session(), kind_of("plan"), "", Output::kTable);
  EXPECT_EQ(world->console.take(),
            "NAME  READY  SOURCE  TARGET  NAMESPACES  TROUBLE\nshop  False  west    east    shop\n");
  co_await get(world->session(), kind_of("plan"), "shop", Output::kJson);
  EXPECT_EQ(string_at(parse_json(world->console.take()), "metadata.name"), "shop");
  co_await get(world->session(), kind_of("plan"), "", Output::kYaml);
  EXPECT_THAT(world->console.take(), HasSubstr("kind: List"));
  co_await set_status(world, "plan", "shop", {{"conditions", {condition("StorageNotReady", "Critical")}}});
  co_await describe(world->session(), kind_of("plan"), "shop");
  const auto unmeasured = world->console.take();
  EXPECT_THAT(unmeasured, HasSubstr("Critical StorageNotReady\n           about StorageNotReady\n"));
  EXPECT_THAT(unmeasured, Not(HasSubstr("Forecast")));
  const Json forecast = {{"message", "From one stage."},
                         {"since", "2026-01-02T03:04:05Z"},
                         {"downtimeSeconds", 75},
                         {"lastCopy", {{"movedBytes", 1000}, {"bytes", 2000}, {"seconds", 4}, {"bytesPerSecond", 250}}},
                         {"lastCutover", {{"downtimeSeconds", 60}, {"forecastSeconds", 50}}}};
  co_await set_status(world, "plan", "shop", {{"forecast", forecast}});
  co_await describe(world->session(), kind_of("plan"), "shop");
  EXPECT_THAT(world->console.take(), HasSubstr("Forecast\n  From one stage.\n  a cutover now: down for about 1m15s\n"
                                               "  last stage: 1.00 kB of 2.00 kB moved in 4s, 250 bytes a second\n"
                                               "  last cutover: down for 1m0s, forecast 50s\n"));
  EXPECT_EQ(co_await failure_of(describe(world->session(), kind_of("plan"), "shp")),
            "MigPlan shp does not exist; did you mean shop? | mtc plan get");
  co_await get(world->session(), kind_of("migration"), "", Output::kTable);
  EXPECT_EQ(world->console.take(), "");
  EXPECT_THAT(world->console.complained, HasSubstr("No migration yet: `mtc migration --help`"));
}
TEST(Verbs, ShowObjects) { in_world(shows); }

Task<void> waits(World* world) {
  co_await prepare(world);
  EXPECT_EQ(co_await wait_ready(world->session(), kind_of("plan"), "shop", std::chrono::milliseconds(1)), kNotReady);
  EXPECT_THAT(world->console.complained, HasSubstr("no controller has looked at it\nnext: mtc controller\n"));
  co_await set_status(world, "plan", "shop", {{"conditions", {condition("Ready", "Required")}}});
  world->console.take();
  EXPECT_EQ(co_await wait_ready(world->session(), kind_of("plan"), "shop", std::chrono::seconds(20)), kOk);
  EXPECT_EQ(world->console.take(), "MigPlan shop is ready\n");
}
TEST(Verbs, WaitUntilReady) { in_world(waits); }

Task<void> refuses_to_delete(World* world) {
  co_await prepare(world);
  co_await migrate(world->session(), {.run = {.plan = "shop", .stage = true}, .name = "one"});
  EXPECT_EQ(co_await failure_of(remove(world->session(), kind_of("cluster"), {.name = "east"})),
            "MigCluster east is not deleted: these plans name it: shop | mtc plan delete shop   (or --force)");
  EXPECT_EQ(co_await failure_of(remove(world->session(), kind_of("storage"), {.name = "minio"})),
            "MigStorage minio is not deleted: these plans name it: shop | mtc plan delete shop   (or --force)");
  EXPECT_EQ(co_await failure_of(remove(world->session(), kind_of("plan"), {.name = "shop"})),
            "MigPlan shop is not deleted: these migrations of it have not ended: one | mtc cancel one   (or --force)");
  EXPECT_EQ(co_await failure_of(remove(world->session(), kind_of("migration"), {.name = "one"})),
            "MigMigration one is not deleted: it has not ended | mtc cancel one   (or --force)");
  co_await cancel(world->session(), "one");
  EXPECT_TRUE(bool_at(co_await must_find(world->session(), kind_of("migration"), "one"), "spec.canceled"));
  co_await set_status(world, "migration", "one", {{"phase", "Completed"}});
  EXPECT_THAT(co_await failure_of(cancel(world->session(), "one")), HasSubstr("is over already"));
  world->console.take();
  co_await remove(world->session(), kind_of("plan"), {.name = "shop"});
  co_await remove(world->session(), kind_of("storage"), {.name = "minio"});
  EXPECT_EQ(world->console.take(), "MigPlan shop deleted\nMigStorage minio deleted\n");
  const auto secret = co_await world->west->client()->get(kube::types::secrets(), {kConfigNamespace, "minio-storage"});
  EXPECT_TRUE(secret.has_value());
}
TEST(Verbs, DeleteNothingThatIsNeeded) { in_world(refuses_to_delete); }

Task<void> gone(kube::ClientPtr cluster, kube::ResourceType type, kube::ObjectKey key) {
  const auto absent = [](const std::optional<Json>& object) { return !object; };
  EXPECT_TRUE(co_await kube::wait_until(cluster, type, key, std::chrono::seconds(20), absent)) << key.str();
}

Task<void> purges(World* world) {
  co_await prepare(world);
  const auto west = world->west->client(), east = world->east->client();
  const std::string ns = api::kNamespace;
  const Removal what{.name = "east", .force = true, .purge = true};
  EXPECT_THAT(co_await failure_of(remove(world->session(), kind_of("cluster"), what)), HasSubstr("no terminal"));
  world->console.answer = false;
  EXPECT_THAT(co_await failure_of(remove(world->session(), kind_of("cluster"), what)),
              HasSubstr("nothing was deleted"));
  EXPECT_TRUE((co_await east->get(kube::types::service_accounts(), {ns, "migration-controller"})).has_value());
  world->console.answer = true;
  co_await remove(world->session(), kind_of("cluster"), what);
  co_await gone(west, kube::types::secrets(), {kConfigNamespace, "east-cluster"});
  co_await gone(west, kind_of("cluster").type, {ns, "east"});
  co_await gone(east, kube::types::cluster_role_bindings(), {"", "mtc-migration-controller"});
  co_await gone(east, kube::types::service_accounts(), {ns, "migration-controller"});
  co_await gone(east, kube::types::secrets(), {ns, "migration-controller-token"});
}
TEST(Verbs, PurgeWhatTheyMadeOnACluster) { in_world(purges); }

Task<void> leaves_alone(World* world) {
  const auto east = world->east->client();
  const std::string ns = api::kNamespace;
  co_await east->create(kube::types::namespaces(), {{"metadata", {{"name", ns}}}});
  co_await east->create(kube::types::service_accounts(),
                        {{"metadata", {{"name", "migration-controller"}, {"namespace", ns}}}});
  co_await make_account(east);
  EXPECT_TRUE(co_await remove_account(east));
  co_await gone(east, kube::types::secrets(), {ns, "migration-controller-token"});
  EXPECT_TRUE((co_await east->get(kube::types::service_accounts(), {ns, "migration-controller"})).has_value());
  EXPECT_FALSE(co_await remove_account(east));
}
TEST(Verbs, PurgeNothingThatWasThereBefore) { in_world(leaves_alone); }

Task<void> keeps_shared(World* world) {
  co_await prepare(world);
  co_await add_remote_cluster(world->session(), "east-again", world->east->admin());
  world->console.take();
  co_await remove(world->session(), kind_of("cluster"), {.name = "east-again", .purge = true, .yes = true});
  EXPECT_THAT(world->console.take(), HasSubstr("stays: MigCluster east uses it too"));
  EXPECT_TRUE(
      (co_await world->east->client()->get(kube::types::service_accounts(), {api::kNamespace, "migration-controller"}))
          .has_value());
}
TEST(Verbs, PurgeNoAccountThatIsShared) { in_world(keeps_shared); }

Task<void> watches(World* world) {
  co_await prepare(world);
  co_await migrate(world->session(), {.run = {.plan = "shop"}, .name = "good"});
  co_await migrate(world->session(), {.run = {.plan = "shop"}, .name = "bad"});
  co_await migrate(world->session(), {.run = {.plan = "shop"}, .name = "stuck"});
  co_await set_status(world, "migration", "good",
                      {{"phase", "Completed"}, {"conditions", {condition("Succeeded", "Advisory")}}});
  co_await set_status(world, "migration", "bad",
                      {{"phase", "Completed"},
                       {"errors", {"pods shop/web: refused"}},
                       {"conditions", {condition("Failed", "Advisory")}}});
  co_await set_status(world, "migration", "stuck", {{"conditions", {condition("PlanNotReady", "Critical")}}});
  world->console.take();
  int changes = 0;
  EXPECT_EQ(co_await watch(world->session(), "good", {.on_change = [&](const Json&) { ++changes; }}), kOk);
  EXPECT_EQ(changes, 1);
  EXPECT_THAT(world->console.take(), HasSubstr("Migration good: succeeded\n"));
  EXPECT_EQ(co_await watch(world->session(), "bad"), kMigrationFailed);
  EXPECT_THAT(world->console.complained, HasSubstr("mtc: pods shop/web: refused\nnext: mtc migrate shop --rollback"));
  EXPECT_EQ(co_await watch(world->session(), "stuck", {.blocked_limit = std::chrono::milliseconds(1)}), kNotReady);
  EXPECT_THAT(world->console.complained, HasSubstr("PlanNotReady: about PlanNotReady\nnext: mtc plan describe shop"));
}
TEST(Verbs, WatchAMigrationToItsEnd) { in_world(watches); }

}  // namespace
}  // namespace mtc::cli
