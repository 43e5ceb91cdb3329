#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "cli/account.hpp"
#include "cli/files.hpp"
#include "cli/user_error.hpp"
#include "cli/verbs.hpp"
#include "json/json.hpp"
#include "plan/checks.hpp"

namespace mtc::cli {
namespace {

/// Creates the Secret, or puts these values into the one there is.
Task<void> write_secret(kube::ClientPtr host, Json secret) {
  co_await kube::ensure(*host, kube::types::namespaces(), {{"metadata", {{"name", kConfigNamespace}}}});
  const auto [have, made] = co_await kube::ensure(*host, kube::types::secrets(), secret);
  if (made) co_return;
  const Json patch = {{"data", secret["data"]}};
  co_await host->patch(kube::types::secrets(), kube::key_of(have), kube::PatchKind::kMerge, patch);
}

/// Writes what the host needs to reach a cluster with this token.
Task<void> enrol(Session session, std::string name, kube::Connection connection, Secret token) {
  co_await write_secret(session.host, secret_manifest(secret_of_cluster(name), {{"saToken", token.reveal()}}));
  co_await create(session, kind_of("cluster"), name,
                  cluster_spec({name, connection.url, connection.ca_pem, connection.insecure}));
  session.console->out(fmt::format("MigCluster {} added: {}\n", name, connection.url));
}

void apply_tls(kube::Connection& connection, const AddCluster& what) {
  if (!what.ca_file.empty()) connection.ca_pem = read_file(what.ca_file, "CA file");
  if (!what.insecure) return;
  connection.insecure = true;
  connection.ca_pem.clear();
}

/// Without a kubeconfig: URL and token are the user's, and are tried before anything is written.
Task<void> add_by_url(Session session, AddCluster what) {
  kube::Connection connection;
  connection.url = what.url;
  connection.token = Secret(std::string(trim(read_file(what.token_file, "token file"))));
  apply_tls(connection, what);
  co_await kube::make_client(connection)->version();
  co_await enrol(session, what.name, connection, connection.token);
}

}  // namespace

Task<void> add_cluster(Session session, AddCluster what) {
  co_await plan::bootstrap(session.host);
  const auto kind = kind_of("cluster");
  co_await must_be_free(session, kind, what.name);
  if (what.is_host) {
    co_await create(session, kind, what.name, host_cluster_spec());
    co_return session.console->out(fmt::format("MigCluster {} added: the host itself\n", what.name));
  }
  if (!what.url.empty()) co_return co_await add_by_url(session, what);
  const auto config =
      what.kubeconfig.empty() ? kube::Kubeconfig::load_default() : kube::Kubeconfig::load(what.kubeconfig);
  auto connection = config.connection(what.context);
  apply_tls(connection, what);
  co_await add_remote_cluster(session, what.name, std::move(connection));
}

Task<void> add_remote_cluster(Session session, std::string name, kube::Connection connection) {
  const auto token = co_await make_account(kube::make_client(connection));
  co_await enrol(session, name, connection, token);
}

Task<void> add_storage(Session session, AddStorage what) {
  co_await plan::bootstrap(session.host);
  const auto kind = kind_of("storage");
  const auto name = what.bucket.name;
  co_await must_be_free(session, kind, name);
  if (!what.ca_file.empty()) what.bucket.ca_pem = read_file(what.ca_file, "CA file");
  co_await write_secret(session.host,
                        secret_manifest(secret_of_storage(name), {{"aws-access-key-id", what.access_key_id},
                                                                  {"aws-secret-access-key", what.secret_access_key}}));
  co_await create(session, kind, name, storage_spec(what.bucket));
  session.console->out(fmt::format("MigStorage {} added: bucket {}\n", name, what.bucket.bucket));
}

Task<void> create_plan(Session session, Plan what) {
  co_await must_find(session, kind_of("cluster"), what.source);
  co_await must_find(session, kind_of("cluster"), what.destination);
  if (!what.storage.empty()) co_await must_find(session, kind_of("storage"), what.storage);
  co_await create(session, kind_of("plan"), what.name, plan_spec(what));
  session.console->out(fmt::format("MigPlan {} created: {} from {} to {}\n", what.name, join(what.namespaces, ", "),
                                   what.source, what.destination));
}

}  // namespace mtc::cli
