#include "cli/verbs.hpp"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "api/condition.hpp"
#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "base/strings.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"
#include "json/json.hpp"
#include "json/yaml.hpp"
#include "kube/config.hpp"
#include "kube/follow.hpp"
#include "plan/checks.hpp"

namespace mtc::cli {
namespace {

constexpr auto kConfigNamespace = "openshift-config";  ///< where the documents keep credentials

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

/// The object, or an Error that lists the names there are.
Task<Json> must_find(kube::ClientPtr host, Kind kind, std::string name) {
  if (auto object = co_await host->get(kind.type, {api::kNamespace, name})) co_return std::move(*object);
  std::vector<std::string> names;
  for (const auto& other : co_await kube::list_all(*host, kind.type, api::kNamespace))
    names.push_back(kube::key_of(other).name);
  const auto near = nearest(name, names);
  throw Error(Code::kNotFound, fmt::format("{} {} does not exist{}; see `mtc {} get`", kind.type.kind, name,
                                           near.empty() ? "" : " (did you mean " + near + "?)", kind.word));
}

Json reference_to(const std::string& name) { return {{"name", name}, {"namespace", api::kNamespace}}; }

Json object_of(const Kind& kind, const std::string& name, Json spec) {
  return {{"apiVersion", api::kApiVersion},
          {"kind", kind.type.kind},
          {"metadata", {{"name", name}, {"namespace", api::kNamespace}}},
          {"spec", std::move(spec)}};
}

Task<void> create_secret(kube::ClientPtr host, std::string name,
                         std::vector<std::pair<std::string, std::string>> values) {
  co_await kube::ensure(*host, kube::types::namespaces(), {{"metadata", {{"name", kConfigNamespace}}}});
  Json data = Json::object();
  for (const auto& [key, value] : values) data[key] = base64_encode(value);
  const Json secret = {{"apiVersion", "v1"},
                       {"kind", "Secret"},
                       {"metadata", {{"name", name}, {"namespace", kConfigNamespace}}},
                       {"type", "Opaque"},
                       {"data", data}};
  const auto [have, made] = co_await kube::ensure(*host, kube::types::secrets(), secret);
  if (made) co_return;
  const Json patch = {{"data", data}};
  co_await host->patch(kube::types::secrets(), kube::key_of(have), kube::PatchKind::kMerge, patch);
}

/// The account on a remote cluster, with everything on it and a token that does not expire; returns the token.
Task<std::string> make_account(kube::ClientPtr remote) {
  const auto ns = std::string(api::kNamespace);
  co_await kube::ensure(*remote, kube::types::namespaces(), {{"metadata", {{"name", ns}}}});
  co_await kube::ensure(*remote, kube::types::service_accounts(),
                        {{"metadata", {{"name", "migration-controller"}, {"namespace", ns}}}});
  co_await kube::ensure(
      *remote, kube::types::cluster_role_bindings(),
      {{"metadata", {{"name", "mtc-migration-controller"}}},
       {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}}},
       {"subjects", Json::array({{{"kind", "ServiceAccount"}, {"name", "migration-controller"}, {"namespace", ns}}})}});
  co_await kube::ensure(*remote, kube::types::secrets(),
                        {{"metadata",
                          {{"name", "migration-controller-token"},
                           {"namespace", ns},
                           {"annotations", {{"kubernetes.io/service-account.name", "migration-controller"}}}}},
                         {"type", "kubernetes.io/service-account-token"}});
  const auto filled = [](const std::optional<Json>& secret) {
    return secret && !string_at(*secret, "data.token").empty();
  };
  if (!co_await kube::wait_until(remote, kube::types::secrets(), {ns, "migration-controller-token"},
                                 std::chrono::seconds(20), filled)) {
    throw Error(Code::kTimeout,
                remote->url() + " gives no token for ServiceAccount openshift-migration/migration-controller");
  }
  const auto secret = co_await kube::must_get(*remote, kube::types::secrets(), {ns, "migration-controller-token"});
  co_return base64_decode(string_at(secret, "data.token")).value_or("");
}

std::string describe_text(const Kind& kind, const Json& object) {
  auto out = fmt::format("{} {}\n\n", kind.type.kind, kube::key_of(object).name);
  out += "Spec\n" + to_yaml(object_at(object, "spec")) + "\nConditions\n";
  for (const auto& condition : array_at(object, "status.conditions")) {
    out += fmt::format("  {:<8} {}{}\n           {}\n", string_at(condition, "category"), string_at(condition, "type"),
                       string_at(condition, "status") == "True" ? "" : " (not)", string_at(condition, "message"));
  }
  if (kind.word == "migration") out += "\n" + pipeline_text(object);
  return out;
}

}  // namespace

Task<void> get(kube::ClientPtr host, Kind kind, std::string name, Output output) {
  std::vector<Json> objects;
  if (name.empty()) {
    objects = co_await kube::list_all(*host, kind.type, api::kNamespace);
  } else {
    objects.push_back(co_await must_find(host, kind, name));
  }
  if (output == Output::kTable) {
    if (objects.empty())
      co_return print(fmt::format("No {} yet: `mtc {} --help` tells how to make one.\n", kind.word, kind.word));
    std::vector<std::vector<std::string>> rows;
    for (const auto& object : objects) rows.push_back(kind.cells(object));
    co_return print(format_table(kind.columns, rows));
  }
  const Json value = name.empty() ? Json{{"items", objects}} : objects.front();
  print(output == Output::kJson ? dump_pretty(value) + "\n" : to_yaml(value));
}

Task<void> describe(kube::ClientPtr host, Kind kind, std::string name) {
  print(describe_text(kind, co_await must_find(host, kind, name)));
}

Task<void> remove(kube::ClientPtr host, Kind kind, std::string name) {
  co_await must_find(host, kind, name);
  co_await host->remove(kind.type, {api::kNamespace, name});
  print(fmt::format("{} {} deleted\n", kind.type.kind, name));
}

Task<void> add_cluster(kube::ClientPtr host, AddCluster what) {
  co_await plan::bootstrap(host);
  const auto kind = kind_of("cluster");
  if (what.is_host) {
    co_await host->create(kind.type, object_of(kind, what.name, {{"isHostCluster", true}}));
    co_return print(fmt::format("MigCluster {} added: the host itself\n", what.name));
  }
  const auto config =
      what.kubeconfig.empty() ? kube::Kubeconfig::load_default() : kube::Kubeconfig::load(what.kubeconfig);
  const auto connection = config.connection(what.context);
  const auto token = co_await make_account(kube::make_client(connection));
  co_await create_secret(host, what.name + "-cluster", {{"saToken", token}});
  Json spec = {{"isHostCluster", false},
               {"insecure", connection.insecure},
               {"url", connection.url},
               {"serviceAccountSecretRef", {{"name", what.name + "-cluster"}, {"namespace", kConfigNamespace}}}};
  if (!connection.ca_pem.empty()) spec["caBundle"] = base64_encode(connection.ca_pem);
  co_await host->create(kind.type, object_of(kind, what.name, spec));
  print(fmt::format("MigCluster {} added: {}\n", what.name, connection.url));
}

Task<void> add_storage(kube::ClientPtr host, AddStorage what) {
  co_await plan::bootstrap(host);
  const auto secret = what.name + "-storage";
  co_await create_secret(
      host, secret, {{"aws-access-key-id", what.access_key_id}, {"aws-secret-access-key", what.secret_access_key}});
  Json config = {{"awsBucketName", what.bucket},
                 {"credsSecretRef", {{"name", secret}, {"namespace", kConfigNamespace}}}};
  if (!what.url.empty()) config["awsS3Url"] = what.url;
  if (!what.region.empty()) config["awsRegion"] = what.region;
  if (!what.ca_file.empty()) {
    std::ifstream file(what.ca_file);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) throw Error(Code::kNotFound, "CA file " + what.ca_file + " cannot be read");
    config["s3CustomCABundle"] = base64_encode(text.str());
  }
  const auto kind = kind_of("storage");
  co_await host->create(
      kind.type, object_of(kind, what.name, {{"backupStorageProvider", "aws"}, {"backupStorageConfig", config}}));
  print(fmt::format("MigStorage {} added: bucket {}\n", what.name, what.bucket));
}

Task<void> create_plan(kube::ClientPtr host, CreatePlan what) {
  const auto kind = kind_of("plan");
  const Json spec = {{"srcMigClusterRef", reference_to(what.source)},
                     {"destMigClusterRef", reference_to(what.destination)},
                     {"migStorageRef", reference_to(what.storage)},
                     {"namespaces", what.namespaces},
                     {"indirectImageMigration", true},
                     {"indirectVolumeMigration", true}};
  co_await host->create(kind.type, object_of(kind, what.name, spec));
  print(fmt::format("MigPlan {} created: {} from {} to {}\n", what.name, join(what.namespaces, ", "), what.source,
                    what.destination));
}

Task<int> migrate(kube::ClientPtr host, StartMigration what) {
  co_await must_find(host, kind_of("plan"), what.plan);
  const auto kind = kind_of("migration");
  if (what.name.empty()) what.name = fmt::format("{}-{}", what.plan, name_suffix(system_rng()));
  const Json spec = {{"migPlanRef", reference_to(what.plan)},
                     {"quiescePods", what.quiesce},
                     {"stage", what.stage},
                     {"rollback", what.rollback}};
  co_await host->create(kind.type, object_of(kind, what.name, spec));
  if (!what.watch) {
    print(fmt::format("MigMigration {} created: follow it with `mtc watch {}`\n", what.name, what.name));
    co_return 0;
  }
  co_return co_await watch(host, what.name);
}

Task<void> cancel(kube::ClientPtr host, std::string name) {
  const auto kind = kind_of("migration");
  const auto object = co_await must_find(host, kind, name);
  if (string_at(object, "status.phase") == "Completed")
    throw Error(
        Code::kInvalid,
        fmt::format(
            "MigMigration {} is over already; a finished migration is undone with `mtc migrate PLAN --rollback`",
            name));
  const Json patch = {{"spec", {{"canceled", true}}}};
  co_await host->patch(kind.type, {api::kNamespace, name}, kube::PatchKind::kMerge, patch);
  print(fmt::format("MigMigration {} is being canceled\n", name));
}

}  // namespace mtc::cli
