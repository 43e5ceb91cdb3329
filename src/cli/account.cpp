#include "cli/account.hpp"

#include "api/names.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "cli/manifests.hpp"
#include "json/json.hpp"
#include "kube/follow.hpp"

namespace mtc::cli {
namespace {

constexpr auto kAccount = "migration-controller";
constexpr auto kBinding = "mtc-migration-controller";
constexpr auto kToken = "migration-controller-token";
constexpr auto kTokenLimit = std::chrono::seconds(20);

Json ours(const std::string& name) { return {{"name", name}, {"labels", {{kManagedBy, kOurselves}}}}; }

Json binding() {
  return {
      {"metadata", ours(kBinding)},
      {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}}},
      {"subjects", Json::array({{{"kind", "ServiceAccount"}, {"name", kAccount}, {"namespace", api::kNamespace}}})}};
}

/// Metadata of an object that goes when the binding goes.
Json owned(const std::string& name, const Json& owner) {
  auto metadata = ours(name);
  metadata["namespace"] = api::kNamespace;
  metadata["ownerReferences"] = Json::array({{{"apiVersion", "rbac.authorization.k8s.io/v1"},
                                              {"kind", "ClusterRoleBinding"},
                                              {"name", kBinding},
                                              {"uid", kube::uid_of(owner)}}});
  return metadata;
}

std::string token_in(const std::optional<Json>& secret) { return secret ? string_at(*secret, "data.token") : ""; }

}  // namespace

Task<Secret> make_account(kube::ClientPtr remote) {
  const auto ns = std::string(api::kNamespace);
  co_await kube::ensure(*remote, kube::types::namespaces(), {{"metadata", {{"name", ns}}}});
  const auto [owner, made] = co_await kube::ensure(*remote, kube::types::cluster_role_bindings(), binding());
  co_await kube::ensure(*remote, kube::types::service_accounts(), {{"metadata", owned(kAccount, owner)}});
  auto token = owned(kToken, owner);
  token["annotations"] = {{"kubernetes.io/service-account.name", kAccount}};
  co_await kube::ensure(*remote, kube::types::secrets(),
                        {{"metadata", std::move(token)}, {"type", "kubernetes.io/service-account-token"}});
  const auto has_token = [](const std::optional<Json>& secret) { return !token_in(secret).empty(); };
  if (!co_await kube::wait_until(remote, kube::types::secrets(), {ns, kToken}, kTokenLimit, has_token)) {
    throw Error(Code::kTimeout,
                "cluster " + remote->url() + " gives no token for ServiceAccount " + ns + "/" + kAccount);
  }
  const auto secret = co_await remote->get(kube::types::secrets(), {ns, kToken});
  co_return Secret(base64_decode(token_in(secret)).value_or(""));
}

Task<bool> remove_account(kube::ClientPtr remote) {
  const auto found = co_await remote->get(kube::types::cluster_role_bindings(), {"", kBinding});
  if (!found || !is_made_by_us(*found)) co_return false;
  co_await remote->remove(kube::types::cluster_role_bindings(), {"", kBinding}, {.uid = kube::uid_of(*found)});
  co_return true;
}

}  // namespace mtc::cli
