#include "app/demo.hpp"

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

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
#include "json/yaml.hpp"
#include "kube/follow.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::app {
namespace {

constexpr auto kShop = "shop";
constexpr auto kAccessKey = "demo";
constexpr auto kSecretKey = "demo-secret";
constexpr auto kLimit = std::chrono::seconds(60);

void say(const std::string& text) {
  fmt::print("{}\n", text);
  std::fflush(stdout);
}

/// A shop: three services with their deployments, settings and passwords, and a job that runs at night.
std::vector<std::string> application() {
  std::vector<std::string> out = {
      "{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly-report}, spec: {schedule: '0 2 * * *', "
      "jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: report, image: "
      "shop/report}]}}}}}}",
      "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: [''], "
      "resources: [configmaps], verbs: [get]}]}",
      "{apiVersion: v1, kind: ServiceAccount, metadata: {name: shop}}",
      "{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: shop-reads}, roleRef: {apiGroup: "
      "rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: ServiceAccount, name: shop, namespace: "
      "shop}]}"};
  for (const auto& [name, replicas] : std::map<std::string, int>{{"web", 3}, {"cart", 2}, {"payment", 2}}) {
    out.push_back(
        fmt::format("{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {0}, labels: {{app: {0}}}}}, spec: "
                    "{{replicas: {1}, selector: {{matchLabels: {{app: {0}}}}}, "
                    "template: {{metadata: {{labels: {{app: {0}}}}}, spec: {{serviceAccountName: shop, containers: "
                    "[{{name: {0}, image: 'shop/{0}:1.4'}}]}}}}}}}}",
                    name, replicas));
    out.push_back(
        fmt::format("{{apiVersion: v1, kind: Service, metadata: {{name: {0}}}, spec: {{selector: {{app: {0}}}, ports: "
                    "[{{port: 80, targetPort: 8080}}]}}}}",
                    name));
    out.push_back(fmt::format(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {0}-settings}}, data: {{log: info, region: west}}}}",
        name));
    out.push_back(fmt::format(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: {0}-password}}, stringData: {{password: correct-horse}}}}",
        name));
  }
  return out;
}

Task<void> install_application(kube::ClientPtr cluster) {
  co_await cluster->create(kube::types::namespaces(), {{"metadata", {{"name", kShop}}}});
  const auto discovery = co_await cluster->discovery();
  for (const auto& yaml : application()) {
    auto object = parse_yaml_one(yaml);
    object["metadata"]["namespace"] = kShop;
    const auto api_version = string_at(object, "apiVersion");
    const auto slash = api_version.find('/');
    const auto* kind =
        discovery->find_kind(slash == std::string::npos ? "" : api_version.substr(0, slash), string_at(object, "kind"));
    if (kind == nullptr) throw Error(Code::kInternal, "the embedded cluster does not serve " + api_version);
    co_await cluster->create(kind->type, object);
  }
}

struct Demo {
  sandbox::Cluster* west = nullptr;
  sandbox::Cluster* east = nullptr;
  std::string bucket_url;
};

/// Waits until every deployment of the shop has its pods.
Task<void> wait_running(kube::ClientPtr cluster) {
  for (const auto* name : {"web", "cart", "payment"}) {
    const bool running = co_await kube::wait_until(
        cluster, kube::types::deployments(), {kShop, name}, kLimit, [](const std::optional<Json>& object) {
          return object && int_at(*object, "status.readyReplicas") == int_at(*object, "spec.replicas");
        });
    if (!running) throw Error(Code::kTimeout, fmt::format("deployment {} does not come up", name));
  }
}

Task<std::string> inventory(kube::ClientPtr west, kube::ClientPtr east) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& type : {kube::types::deployments(), kube::types::pods(), kube::types::services(),
                           kube::types::config_maps(), kube::types::secrets(), kube::types::service_accounts(),
                           kube::types::roles(), kube::types::role_bindings(), kube::types::cron_jobs()}) {
    const auto there = co_await kube::list_all(*west, type, kShop), here = co_await kube::list_all(*east, type, kShop);
    rows.push_back({type.plural, std::to_string(there.size()), std::to_string(here.size())});
  }
  co_return cli::format_table({"SHOP", "WEST", "EAST"}, rows);
}

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
  co_await install_application(west);
  co_await wait_running(west);
  watch.part("the shop opens in west");
  say(co_await inventory(west, east));

  say("The plan: move namespace shop from west to east, through the bucket.");
  co_await describe_what_moves(demo, session);
  *code = co_await cli::wait_ready(session, cli::kind_of("plan"), kShop, kLimit);
  if (*code != cli::kOk) co_return;
  watch.part("clusters, bucket and plan are checked");

  say("$ " + console->command("migrate shop --name shop-moves --quiesce --watch"));
  co_await cli::migrate(session, {.run = {.plan = kShop, .quiesce = true}, .name = "shop-moves"});
  *code = co_await cli::watch(session, "shop-moves",
                              {.on_change = [&watch](const Json& migration) { watch.see(migration); }});
  if (*code != cli::kOk) co_return;
  co_await wait_running(east);
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
