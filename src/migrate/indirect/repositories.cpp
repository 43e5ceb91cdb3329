#include "migrate/indirect/repositories.hpp"

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "migrate/indirect/pod_volumes.hpp"
#include "plan/repositories.hpp"
#include "restic/repository.hpp"

namespace mtc::migrate::indirect {
namespace {

/// Makes the repository, or sees whether it opens. False if what is there is none of this password's.
Task<bool> ensure_repository(blob::StorePtr store, std::string prefix, Secret password) {
  if (!co_await restic::Repository::exists(store, prefix)) {
    co_await restic::Repository::create(store, prefix, password);
    co_return true;
  }
  try {
    co_await restic::Repository::open(store, prefix, password);
  } catch (const Error& error) {
    if (error.code() != Code::kUnauthorized) throw;
    co_return false;
  }
  co_return true;
}

}  // namespace

Task<std::string> ensure_repositories(Migration& m, Secret password) {
  std::set<std::string> namespaces;
  for (const auto& volume : staged_volumes(m)) namespaces.insert(volume.claim.ns);
  for (const auto& ns : namespaces) {
    if (co_await ensure_repository(m.store, plan::repository_prefix(m.plan.uid, ns), password)) continue;
    co_return fmt::format(
        "The repository {} does not open with the password in Secret {}: put that Secret back as it was, or delete the "
        "repository from the bucket to begin anew.",
        repository_identifier(m, ns), plan::repository_key_of(m.plan, m.plan.storage).str());
  }
  co_return "";
}

Json mover_secret(const Migration& m, Side side, const std::string& ns, const std::string& source_namespace,
                  const Secret& password) {
  const auto& bucket = m.bucket;
  const Json place = {{"bucket", bucket.bucket},
                      {"region", bucket.region},
                      {"url", bucket.endpoint},
                      {"prefix", plan::repository_prefix(m.plan.uid, source_namespace)},
                      {"insecureSkipVerify", bucket.insecure}};
  Json data = {{"store.json", base64_encode(dump(place))},
               {"access-key-id", base64_encode(bucket.access_key_id)},
               {"secret-access-key", base64_encode(bucket.secret_access_key.reveal())},
               {"password", base64_encode(password.reveal())}};
  if (!bucket.ca_pem.empty()) data["ca.crt"] = base64_encode(bucket.ca_pem);
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", {{"namespace", ns}, {"name", secret_name(m, side)}, {"labels", mover_labels(m)}}},
          {"data", std::move(data)}};
}

Task<void> ensure_mover_secrets(Migration& m, Side side, Secret password) {
  const bool source = side == Side::kSource;
  const auto cluster = source ? m.source : m.destination;
  std::map<std::string, std::string> source_of;  // no two namespaces of the source have one destination
  for (const auto& volume : staged_volumes(m)) source_of[(source ? volume.claim : volume.target).ns] = volume.claim.ns;
  for (const auto& [ns, source_namespace] : source_of) {
    const auto wanted = mover_secret(m, side, ns, source_namespace, password);
    const auto stored =
        co_await volumes::ensure_labelled(cluster, kube::types::secrets(), wanted, api::labels::kMigration);
    if (object_at(stored, "data") == wanted["data"]) continue;
    const Json patch = {{"data", wanted["data"]}};
    co_await cluster->patch(kube::types::secrets(), kube::key_of(stored), kube::PatchKind::kMerge, patch);
  }
}

}  // namespace mtc::migrate::indirect
