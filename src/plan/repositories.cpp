#include "plan/repositories.hpp"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "plan/types.hpp"

namespace mtc::plan {
namespace {

constexpr auto kPassword = "password";

std::string prefix_of(const std::string& plan_uid) { return fmt::format("velero/restic/{}", plan_uid); }

Secret random_password(Rng& rng) {
  return Secret(fmt::format("{:016x}{:016x}{:016x}{:016x}", rng.next(), rng.next(), rng.next(), rng.next()));
}

Json key_secret(const api::MigPlan& plan, const api::Ref& storage, const std::string& host_id, const Secret& password) {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata",
           {{"namespace", api::kNamespace},
            {"name", repository_key_of(plan, storage).name},
            {"labels",
             {{api::labels::kPartOf, api::kNamespace},
              {api::labels::kPlan, plan.uid},
              {api::labels::kController, host_id},
              {api::labels::kRepositoryKey, "True"}}},
            {"annotations", {{api::annotations::kStorage, storage.str()}}}}},
          {"data", {{kPassword, base64_encode(password.reveal())}}}};
}

/// UIDs of the plans that may still need their repositories.
Task<std::set<std::string>> open_plans(kube::ClientPtr host) {
  std::set<std::string> uids;
  for (const auto& plan : co_await kube::list_all(*host, types::mig_plans(), api::kNamespace)) {
    if (!bool_at(plan, "spec.closed")) uids.insert(kube::uid_of(plan));
  }
  co_return uids;
}

/// "" if the repositories are gone.
Task<std::string> remove_repositories(blob::StorePtr store, std::string plan_uid) {
  try {
    co_await blob::remove_prefix(*store, prefix_of(plan_uid) + "/");
  } catch (const Error& error) {
    co_return error.what();
  }
  co_return "";
}

}  // namespace

std::string repository_prefix(const std::string& plan_uid, const std::string& ns) {
  return fmt::format("{}/{}", prefix_of(plan_uid), ns);
}

api::Ref repository_key_of(const api::MigPlan& plan, const api::Ref& storage) {
  return {api::kNamespace, "repository-" + hex(md5(plan.uid + "/" + storage.str())).substr(0, 10)};
}

Task<Secret> ensure_repository_key(Connections* connections, api::MigPlan plan, api::Ref storage, Rng* rng) {
  const auto wanted = key_secret(plan, storage, co_await connections->host_id(), random_password(*rng));
  co_await kube::ensure(*connections->host(), kube::types::secrets(), wanted);
  // What is stored counts: it may have been there before.
  const auto name = repository_key_of(plan, storage);
  auto password = co_await secret_value(connections->host(), name, kPassword);
  if (!password || password->empty())
    throw Error(Code::kNotFound, fmt::format("Secret {} has lost its key {}, without which the volumes of MigPlan {} "
                                             "in the bucket cannot be read: delete it to begin anew",
                                             name.str(), kPassword, plan.self.str()));
  co_return std::move(*password);
}

Task<void> sweep_repositories(Connections* connections, api::MigStorage storage, api::Conditions* conditions) {
  const auto host = connections->host();
  const kube::ListOptions ours{.label_selector =
                                   fmt::format("{}=True,{}={}", api::labels::kRepositoryKey, api::labels::kController,
                                               co_await connections->host_id())};
  auto keys = co_await kube::list_all(*host, kube::types::secrets(), api::kNamespace, ours);
  std::erase_if(
      keys, [&](const Json& key) { return kube::annotation(key, api::annotations::kStorage) != storage.self.str(); });
  if (keys.empty()) co_return;
  const auto plans = co_await open_plans(host);  // Asked after the keys: a plan that made one of them is among these.
  std::vector<std::string> left;
  for (const auto& key : keys) {
    const auto plan_uid = kube::label(key, api::labels::kPlan);
    if (plan_uid.empty() || plans.contains(plan_uid)) continue;
    const auto failure = co_await remove_repositories(co_await connections->storage(storage), plan_uid);
    if (!failure.empty()) {
      left.push_back(fmt::format("{}: {}", prefix_of(plan_uid), failure));
      continue;
    }
    const kube::DeleteOptions exactly{.uid = kube::uid_of(key)};
    co_await host->remove(kube::types::secrets(), kube::key_of(key), exactly);
  }
  if (left.empty()) co_return;
  conditions->set({.type = "RepositoriesNotRemoved",
                   .category = api::Category::kWarn,
                   .reason = "Failed",
                   .message = "The volumes of plans that are gone could not be removed from the bucket: [].",
                   .items = std::move(left)});
}

}  // namespace mtc::plan
