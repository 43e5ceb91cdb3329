#include "app/demo.hpp"

#include <cstdio>
#include <map>
#include <string>

#include <fmt/format.h>

#include "api/condition.hpp"
#include "api/names.hpp"
#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "blob/bucket_server.hpp"
#include "cli/command_line.hpp"
#include "cli/kinds.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "control/controller.hpp"
#include "json/yaml.hpp"
#include "kube/follow.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::app {
namespace {

constexpr auto kShop = "shop";
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

/// The account by which the controller works on the destination, and its token.
Task<std::string> remote_token(kube::ClientPtr cluster) {
  const auto ns = std::string(api::kNamespace);
  co_await kube::ensure(*cluster, kube::types::namespaces(), {{"metadata", {{"name", ns}}}});
  co_await kube::ensure(*cluster, kube::types::service_accounts(),
                        {{"metadata", {{"name", "migration-controller"}, {"namespace", ns}}}});
  co_await kube::ensure(
      *cluster, kube::types::cluster_role_bindings(),
      {{"metadata", {{"name", "migration-controller"}}},
       {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}}},
       {"subjects", Json::array({{{"kind", "ServiceAccount"}, {"name", "migration-controller"}, {"namespace", ns}}})}});
  const auto answer =
      co_await cluster->raw("POST", fmt::format("/api/v1/namespaces/{}/serviceaccounts/migration-controller/token", ns),
                            Json{{"spec", {{"expirationSeconds", 7200}}}});
  co_return string_at(answer, "status.token");
}

struct Demo {
  sandbox::Cluster* west = nullptr;
  sandbox::Cluster* east = nullptr;
  std::string bucket_url;
};

Json secret(const std::string& name, const std::map<std::string, std::string>& values) {
  Json data = Json::object();
  for (const auto& [key, value] : values) data[key] = base64_encode(value);
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", {{"name", name}, {"namespace", "openshift-config"}}},
          {"type", "Opaque"},
          {"data", data}};
}

Json ours(const char* kind, const std::string& name, Json spec) {
  return {{"apiVersion", api::kApiVersion},
          {"kind", kind},
          {"metadata", {{"name", name}, {"namespace", api::kNamespace}}},
          {"spec", std::move(spec)}};
}

Json ref(const std::string& name) { return {{"name", name}, {"namespace", api::kNamespace}}; }
Json secret_ref(const std::string& name) { return {{"name", name}, {"namespace", "openshift-config"}}; }

/// The manifests that a user would apply: clusters, bucket and plan.
Task<void> apply_manifests(Demo demo) {
  const auto host = demo.west->client();
  const auto token = co_await remote_token(demo.east->client());
  co_await kube::ensure(*host, kube::types::namespaces(), {{"metadata", {{"name", "openshift-config"}}}});
  co_await host->create(kube::types::secrets(), secret("east", {{"saToken", token}}));
  co_await host->create(kube::types::secrets(),
                        secret("bucket", {{"aws-access-key-id", "demo"}, {"aws-secret-access-key", "demo-secret"}}));
  co_await host->create(cli::kind_of("cluster").type, ours("MigCluster", "west", {{"isHostCluster", true}}));
  co_await host->create(cli::kind_of("cluster").type, ours("MigCluster", "east",
                                                           {{"isHostCluster", false},
                                                            {"url", demo.east->url()},
                                                            {"caBundle", base64_encode(demo.east->ca_pem())},
                                                            {"serviceAccountSecretRef", secret_ref("east")}}));
  co_await host->create(
      cli::kind_of("storage").type,
      ours("MigStorage", "bucket",
           {{"backupStorageProvider", "aws"},
            {"backupStorageConfig",
             {{"awsBucketName", "demo"}, {"awsS3Url", demo.bucket_url}, {"credsSecretRef", secret_ref("bucket")}}}}));
  co_await host->create(cli::kind_of("plan").type, ours("MigPlan", "shop",
                                                        {{"srcMigClusterRef", ref("west")},
                                                         {"destMigClusterRef", ref("east")},
                                                         {"migStorageRef", ref("bucket")},
                                                         {"namespaces", {kShop}},
                                                         {"indirectImageMigration", true},
                                                         {"indirectVolumeMigration", true}}));
}

Task<void> wait_ready(kube::ClientPtr host, std::string word, std::string name) {
  const auto type = cli::kind_of(word).type;
  Json last;
  const bool ready = co_await kube::wait_until(host, type, {api::kNamespace, name}, kLimit,
                                               [&last](const std::optional<Json>& object) {
                                                 if (object) last = *object;
                                                 return object && api::has_condition(*object, "Ready");
                                               });
  if (!ready)
    throw Error(Code::kTimeout,
                fmt::format("{} {} is not ready: {}", type.kind, name, dump(array_at(last, "status.conditions"))));
}

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

Task<void> perform(Demo demo, int* code) {
  const auto west = demo.west->client(), east = demo.east->client();
  say("Two empty clusters and a bucket are up: west, east. A shop opens in west.");
  co_await install_application(west);
  co_await wait_running(west);
  say(co_await inventory(west, east));

  say("The plan: move namespace shop from west to east, through the bucket.");
  const auto began = std::chrono::steady_clock::now();
  co_await apply_manifests(demo);
  co_await wait_ready(west, "plan", "shop");
  const auto seconds = [](auto from) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
  };
  say(fmt::format("Clusters, bucket and plan are checked and ready after {:.1f} s. The migration:\n", seconds(began)));

  const auto start = std::chrono::steady_clock::now();
  co_await west->create(
      cli::kind_of("migration").type,
      ours("MigMigration", "shop-moves", {{"migPlanRef", ref("shop")}, {"quiescePods", true}, {"stage", false}}));
  *code = co_await cli::watch(west, "shop-moves");
  const auto took = seconds(start);
  if (*code != cli::kOk) co_return;
  co_await wait_running(east);
  say("\n" + co_await inventory(west, east));
  say(fmt::format(
      "The shop runs in east {:.1f} s after the start; west is scaled down and can be started again by a rollback.\n",
      took));
  say("Next:\n  mtc sandbox --write-kubeconfig west.kubeconfig   an embedded cluster to try kubectl on\n"
      "  mtc cluster add --help                           register your own clusters\n"
      "  docs/guide/first-migration.md                    the same with real clusters, by kubectl and by mtc");
}

Task<void> demonstrate(int* code) {
  auto scope = co_await async::Scope::create();
  const auto west = co_await sandbox::Cluster::start({.name = "west"});
  const auto east = co_await sandbox::Cluster::start({.name = "east"});
  blob::BucketServerOptions bucket;
  bucket.access_key_id = "demo";
  bucket.secret_access_key = Secret("demo-secret");
  bucket.buckets["demo"] = blob::make_memory_store();
  const auto server = co_await blob::BucketServer::start(std::move(bucket));
  scope.spawn(control::run_controller({.host = west->client()}));
  std::exception_ptr failure;
  try {
    co_await perform({west.get(), east.get(), server->url()}, code);
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

int run_demo() {
  log::configure(log::Level::kWarn, log::Format::kText);
  async::Runtime runtime;
  int code = cli::kFailed;
  return runtime.run_until_signal(demonstrate(&code)) ? code : cli::kInterrupted;
}

}  // namespace mtc::app
