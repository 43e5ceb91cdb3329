#include <algorithm>

#include "api/crds.hpp"
#include "api/names.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "json/patch.hpp"
#include "kube/follow.hpp"
#include "plan/checks.hpp"

namespace mtc::plan {
namespace {

bool is_established(const std::optional<Json>& definition) {
  return definition && api::has_condition(*definition, "Established");
}

/// Installs one definition, or brings one of ours up to date. Velero's own, where it is installed, stay as they are.
Task<void> ensure_definition(kube::ClientPtr cluster, Json wanted) {
  const auto& type = kube::types::custom_resource_definitions();
  const auto key = kube::key_of(wanted);
  const auto [have, made] = co_await kube::ensure(*cluster, type, wanted);
  const bool ours = string_at(wanted, "spec.group") == api::kGroup;
  if (!made && ours) {
    auto merged = apply_merge_patch(have["spec"], wanted["spec"]);
    if (merged != have["spec"]) {
      const Json patch = {{"spec", {{"versions", wanted["spec"]["versions"]}, {"names", wanted["spec"]["names"]}}}};
      // The server fills in defaults that we leave out: only a difference in what we say is one.
      const auto& stored = have["spec"]["versions"];
      const auto same_schema = stored.size() == 1 && find(stored[0], "schema.openAPIV3Schema") != nullptr &&
                               stored[0]["schema"] == wanted["spec"]["versions"][0]["schema"];
      if (!same_schema) co_await cluster->patch(type, key, kube::PatchKind::kMerge, patch);
    }
  }
  if (is_established(have)) co_return;
  if (!co_await kube::wait_until(cluster, type, key, std::chrono::seconds(30), is_established)) {
    throw Error(Code::kTimeout,
                "CustomResourceDefinition " + key.name + " is not established at " + cluster->url() + " after 30 s");
  }
}

Task<void> ensure_namespace(kube::ClientPtr cluster, std::string name) {
  co_await kube::ensure(*cluster, kube::types::namespaces(),
                        {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", std::move(name)}}}});
}

}  // namespace

Task<void> bootstrap(kube::ClientPtr cluster) {
  co_await ensure_namespace(cluster, api::kNamespace);
  std::vector<Task<void>> tasks;
  for (auto& definition : api::crds()) tasks.push_back(ensure_definition(cluster, std::move(definition)));
  co_await async::all(std::move(tasks));
}

Task<void> bootstrap_host(kube::ClientPtr host) {
  co_await bootstrap(host);
  co_await ensure_namespace(host, api::kConfigNamespace);
}

}  // namespace mtc::plan
