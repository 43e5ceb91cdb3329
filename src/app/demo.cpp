#include "app/demo.hpp"

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/demo_shop.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "blob/bucket_server.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "control/controller.hpp"
#include "json/json.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::app {
namespace {

constexpr auto kAccessKey = "demo";
constexpr auto kSecretKey = "demo-secret";
constexpr auto kLimit = std::chrono::seconds(60);

void say(const std::string& text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

struct Demo {
  sandbox::Cluster* west = nullptr;
  sandbox::Cluster* east = nullptr;
  std::string bucket_url;
};

/// How long each part of the demo took. The steps of the migration are timed as they pass by: their own times in its
/// status are whole seconds.
class Stopwatch {
 public:
  /// Ends a part that began when the last one ended.
  void part(const std::string& name) {
    const auto now = std::chrono::steady_clock::now();
    rows_.push_back({name, seconds(now - last_)});
    last_ = now;
  }
  void see(const Json& migration) {
    const auto now = std::chrono::steady_clock::now();
    for (const auto& step : array_at(migration, "status.pipeline")) {
      if (bool_at(step, "skipped") || !step.contains("started")) continue;
      auto [at, is_new] = steps_.try_emplace(string_at(step, "name"), now, now);
      if (is_new) order_.push_back(at->first);
      if (!at->second.completed) at->second.until = now;
      at->second.completed = step.contains("completed");
    }
  }
  std::string table(const std::string& migration) const {
    auto rows = rows_;
    for (const auto& name : order_) {
      const auto& step = steps_.at(name);
      rows.push_back({fmt::format("{}: {}", migration, name), seconds(step.until - step.from)});
    }
    rows.push_back({"all of it", seconds(std::chrono::steady_clock::now() - began_)});
    return cli::format_table({"PART", "TOOK"}, rows);
  }

 private:
  using Moment = std::chrono::steady_clock::time_point;
  struct Step {
    Moment from, until;
    bool completed = false;
  };
  static std::string seconds(std::chrono::steady_clock::duration took) {
    return fmt::format("{:5.1f} s", std::chrono::duration<double>(took).count());
  }

  Moment began_ = std::chrono::steady_clock::now(), last_ = began_;
  std::vector<std::vector<std::string>> rows_;
  std::map<std::string, Step> steps_;
  std::vector<std::string> order_;
};

/// What a user would type to register both clusters and the bucket, and to make the plan.
Task<void> describe_what_moves(Demo demo, cli::Session session) {
  const auto type = [&](std::string_view arguments) { say("$ " + session.console->command(arguments)); };
  type("cluster add west --host");
  co_await cli::add_cluster(session, {.name = "west", .is_host = true});
  type("cluster add east --from-context east");
  co_await cli::add_remote_cluster(session, "east", demo.east->admin());
  type("storage add bucket --bucket demo --url " + demo.bucket_url);
  co_await cli::add_storage(session, {.bucket = {.name = "bucket", .bucket = "demo", .url = demo.bucket_url},
                                      .access_key_id = kAccessKey,
                                      .secret_access_key = kSecretKey});
  type("plan create shop --source west --destination east --storage bucket -n shop --wait");
  co_await cli::create_plan(
      session, {.name = kShop, .source = "west", .destination = "east", .storage = "bucket", .namespaces = {kShop}});
}

Task<void> perform(Demo demo, cli::Console* console, int* code) {
  const auto west = demo.west->client(), east = demo.east->client();
  const cli::Session session{west, console};
  Stopwatch watch;
  say("Two empty clusters and a bucket are up: west, east. A shop opens in west.");
  co_await open_shop(west);
  watch.part("the shop opens in west");
  say(co_await inventory(west, east));

  say("The plan: move namespace shop from west to east: its objects through the bucket, its files from pod to pod.");
  co_await describe_what_moves(demo, session);
  *code = co_await cli::wait_ready(session, cli::kind_of("plan"), kShop, kLimit);
  if (*code != cli::kOk) co_return;
  watch.part("clusters, bucket and plan are checked");

  say("$ " + console->command("migrate shop --name shop-moves --quiesce --watch"));
  co_await cli::migrate(session, {.run = {.plan = kShop, .quiesce = true}, .name = "shop-moves"});
  *code = co_await cli::watch(session, "shop-moves",
                              {.on_change = [&watch](const Json& migration) { watch.see(migration); }});
  if (*code != cli::kOk) co_return;
  co_await wait_shop_open(east);
  watch.part("the migration, until the shop runs in east");
  say("\n" + co_await inventory(west, east));
  say(watch.table("  of it"));
  say("The shop runs in east; west is scaled down and can be started again by a rollback.\n");
  say(
      fmt::format("Next\n"
                  "  {:<46} a cluster to try kubectl on\n"
                  "  {:<46} with clusters of your own\n"
                  "  {:<46} the same, step by step",
                  console->command("sandbox --write-kubeconfig west.kubeconfig"),
                  console->command("cluster add --help"), "docs/guide/first-migration.md"));
}

Task<void> demonstrate(cli::Console* console, int* code) {
  auto scope = co_await async::Scope::create();
  const auto west = co_await sandbox::Cluster::start({.name = "west"});
  const auto east = co_await sandbox::Cluster::start({.name = "east"});
  blob::BucketServerOptions bucket;
  bucket.access_key_id = kAccessKey;
  bucket.secret_access_key = Secret(kSecretKey);
  bucket.buckets["demo"] = blob::make_memory_store();
  const auto server = co_await blob::BucketServer::start(std::move(bucket));
  scope.spawn(control::run_controller({.host = west->client()}));
  std::exception_ptr failure;
  try {
    co_await perform({west.get(), east.get(), server->url()}, console, code);
  } catch (...) {  // Everything that was started ends first.
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  co_await server->stop();
  co_await east->stop();
  co_await west->stop();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

int run_demo(cli::Console& console) {
  log::configure(log::Level::kWarn, log::Format::kText);
  async::Runtime runtime;
  int code = cli::kFailed;
  if (runtime.run_until_signal(demonstrate(&console, &code))) return code;
  console.err("\nThe demo was stopped; nothing of it is left.\n");
  return cli::kInterrupted;
}

}  // namespace mtc::app
