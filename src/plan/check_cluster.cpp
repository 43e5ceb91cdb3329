#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "http/url.hpp"
#include "json/json.hpp"
#include "plan/checks.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;
constexpr auto kAnswerLimit = std::chrono::seconds(10);  ///< for the first answer of a cluster; a user waits for it

/// False if something is so wrong that there is no use in connecting.
Task<bool> check_settings(Connections* connections, api::MigCluster cluster, api::Conditions* conditions) {
  bool good = true;
  const auto refuse = [&](std::string type, std::string reason, std::string message) {
    conditions->set(
        {.type = std::move(type), .category = kCritical, .reason = std::move(reason), .message = std::move(message)});
    good = false;
  };
  if (cluster.url.empty()) {
    refuse("InvalidURL", "NotSet", "The `url` is required unless `isHostCluster` is true.");
  } else if (!cluster.url.contains("://")) {
    refuse("InvalidURL", "Malformed",
           fmt::format("The `url` \"{}\" is malformed: it must begin with https:// or http://.", cluster.url));
  } else {
    try {
      http::Url::parse(cluster.url);
    } catch (const Error& error) {
      const bool scheme = !cluster.url.starts_with("http://") && !cluster.url.starts_with("https://");
      refuse("InvalidURL", scheme ? "InvalidScheme" : "Malformed",
             fmt::format("The `url` is invalid: {}.", error.message()));
    }
  }
  if (!cluster.secret.set()) {
    refuse("InvalidSaSecretRef", "NotSet", "The `serviceAccountSecretRef` must name a Secret and its namespace.");
    co_return good;
  }
  const auto& host = connections->host();
  if (!co_await host->get(kube::types::secrets(), {cluster.secret.ns, cluster.secret.name})) {
    refuse("InvalidSaSecretRef", "NotFound",
           fmt::format("The `serviceAccountSecretRef` must name a Secret that exists, subject: {}.",
                       cluster.secret.str()));
    co_return good;
  }
  const auto token = co_await secret_value(host, cluster.secret, "saToken");
  if (!token) {
    refuse("InvalidSaToken", "NotFound", fmt::format("The Secret {} has no key `saToken`.", cluster.secret.str()));
  } else if (token->empty()) {
    refuse("InvalidSaToken", "NotSet", fmt::format("The key `saToken` of Secret {} is empty.", cluster.secret.str()));
  }
  co_return good;
}

/// Answers that no API server gives to a question for its version: no JSON, or a refusal that is no Status.
bool is_no_kubernetes(const Error& error) {
  const bool refused = error.http_status() >= 400 && error.http_status() < 500;
  return error.code() == Code::kCorrupt || (refused && error.message().starts_with("HTTP "));
}

std::string connect_failure(const api::MigCluster& cluster, const Error& error) {
  auto text = fmt::format("Test connect to {} failed: {}.", cluster.url, error.message());
  if (error.code() == Code::kTls && cluster.ca_bundle.empty() && !cluster.insecure) {
    text +=
        " The server's certificate is not of a public authority: put its CA into `caBundle` (or set `insecure: true`).";
  } else if (error.code() == Code::kTls) {
    text += " Compare `caBundle` with the CA of the cluster.";
  } else if (is_no_kubernetes(error)) {
    text += " What answers there is no Kubernetes API server.";
  } else if (error.code() == Code::kUnauthorized) {
    text += fmt::format(" The token in Secret {} is wrong or has expired.", cluster.secret.str());
  }
  return text;
}

/// A SelfSubjectAccessReview for everything of an API group.
Task<bool> may_do_all(kube::ClientPtr client, std::string group) {
  const Json review = {
      {"apiVersion", "authorization.k8s.io/v1"},
      {"kind", "SelfSubjectAccessReview"},
      {"spec", {{"resourceAttributes", {{"group", group}, {"resource", "*"}, {"verb", "*"}, {"version", "*"}}}}}};
  const auto answer = co_await client->create(kube::types::self_subject_access_reviews(), review);
  co_return bool_at(answer, "status.allowed");
}

Task<void> converse(Connections* connections, api::MigCluster cluster, api::Conditions* conditions) {
  std::optional<Error> failure;
  try {
    const auto client = co_await connections->cluster(cluster);
    co_await async::with_timeout(kAnswerLimit, "ask for the version", client->version());
    const bool allowed =
        co_await may_do_all(client, "migration.openshift.io") && co_await may_do_all(client, "velero.io");
    if (!allowed) {
      conditions->set({.type = "SaTokenNotPrivileged",
                       .category = kCritical,
                       .reason = "Unauthorized",
                       .message = fmt::format("The token in Secret {} lacks privileges: it must allow everything on "
                                              "the API groups migration.openshift.io and velero.io.",
                                              cluster.secret.str())});
    }
  } catch (const Error& error) {
    failure = error;
  }
  if (failure) {
    conditions->set({.type = "TestConnectFailed",
                     .category = kCritical,
                     .reason = "ConnectFailed",
                     .message = connect_failure(cluster, *failure)});
  }
}

}  // namespace

Task<void> check_cluster(Connections* connections, api::MigCluster cluster, api::Conditions* conditions) {
  if (cluster.is_host) co_return;
  if (co_await check_settings(connections, cluster, conditions)) co_await converse(connections, cluster, conditions);
}

}  // namespace mtc::plan
