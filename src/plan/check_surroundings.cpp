#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "api/names.hpp"
#include "json/json.hpp"
#include "plan/checks.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;

/// Of a namespace on OpenShift: what its pods may run as. Files keep the owners that these gave them.
constexpr std::array kIdentities = {"openshift.io/sa.scc.uid-range", "openshift.io/sa.scc.supplemental-groups",
                                    "openshift.io/sa.scc.mcs"};
constexpr std::array kProxyKeys = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"};
constexpr std::size_t kRouteLimit = 59;  ///< "dvm-<namespace>" has to be a DNS label

void check_lengths(const api::MigPlan& plan, const Settings& settings, api::Conditions* conditions) {
  if (plan.indirect_volumes || !settings.cluster_subdomain.empty()) return;
  std::vector<std::string> names;
  for (const auto& ns : plan.namespaces) {
    if (ns.destination.size() > kRouteLimit) names.push_back(ns.destination);
  }
  if (names.empty()) return;
  conditions->set(
      {.type = "NamespaceLengthExceeded",
       .category = kWarn,
       .reason = "LengthExceeded",
       .message = fmt::format("Namespaces [] exceed {} characters, and direct volume migration may not find "
                              "a host name for their routes.",
                              kRouteLimit),
       .items = std::move(names)});
}

/// Destination namespaces that exist and run their pods under other identities than the source's.
Task<void> check_identities(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  std::vector<std::string> differing;
  for (const auto& ns : plan.namespaces) {
    const auto here = co_await world->source_client->get(kube::types::namespaces(), {"", ns.source});
    const auto there = co_await world->destination_client->get(kube::types::namespaces(), {"", ns.destination});
    if (!here || !there) continue;
    const bool differs = std::ranges::any_of(
        kIdentities, [&](const char* key) { return kube::annotation(*here, key) != kube::annotation(*there, key); });
    if (differs) differing.push_back(ns.destination);
  }
  // A Critical condition of this type says more: it stays.
  if (differing.empty() || conditions->has("IntraClusterMigration")) co_return;
  conditions->set({.type = "IntraClusterMigration",
                   .category = kWarn,
                   .reason = "ConflictingPermissions",
                   .message = "Destination namespaces [] exist with other UID ranges, supplemental groups or SELinux "
                              "labels than their sources: pods may lack access to the migrated data.",
                   .items = std::move(differing)});
}

Task<void> check_proxy(kube::ClientPtr cluster, std::string side, api::Conditions* conditions) {
  const auto type =
      (side == "source" ? std::string("Source") : std::string("Destination")) + "ClusterProxySecretMisconfigured";
  const kube::ListOptions marked{.label_selector = "migration-proxy-config=true"};
  const auto secrets = co_await kube::list_all(*cluster, kube::types::secrets(), api::kNamespace, marked);
  if (secrets.empty()) co_return;
  if (secrets.size() > 1) {
    co_return conditions->set(
        {.type = type,
         .category = kCritical,
         .reason = "Conflict",
         .message = fmt::format("The {} cluster has {} Secrets labelled migration-proxy-config=true "
                                "in {}: there may be one.",
                                side, secrets.size(), api::kNamespace)});
  }
  const auto& data = object_at(secrets.front(), "data");
  if (std::ranges::any_of(kProxyKeys, [&](const char* key) { return data.contains(key); })) co_return;
  conditions->set({.type = type,
                   .category = kCritical,
                   .reason = "KeyNotFound",
                   .message = fmt::format("The proxy Secret {} of the {} cluster has none of the keys HTTP_PROXY, "
                                          "HTTPS_PROXY, NO_PROXY.",
                                          kube::key_of(secrets.front()).str(), side)});
}

Task<void> check_included(api::MigPlan plan, kube::ClientPtr source, api::Conditions* conditions) {
  const auto discovery = co_await source->discovery();
  std::vector<std::string> unknown;
  for (const auto& entry : plan.included_resources) {
    const auto group = string_at(entry, "group"), kind = string_at(entry, "kind");
    if (discovery->find_kind(group, kind) == nullptr)
      unknown.push_back(fmt::format("{}{}{}", kind, group.empty() ? "" : ".", group));
  }
  if (unknown.empty()) co_return;
  conditions->set({.type = "InvalidResourceList",
                   .category = kCritical,
                   .message = "The source cluster does not serve the `includedResources` [].",
                   .items = std::move(unknown)});
}

/// Images are copied from registry to registry unless the plan sends them through the repository; a cluster without
/// ImageStreams has none to copy.
Task<void> check_registry(api::MigPlan plan, kube::ClientPtr source, const Json* cluster, std::string side,
                          api::Conditions* conditions) {
  if (plan.indirect_images || cluster == nullptr || !string_at(*cluster, "status.registryPath").empty()) co_return;
  const auto discovery = co_await source->discovery();
  if (discovery->find_resource("image.openshift.io", "imagestreams") == nullptr) co_return;
  conditions->set(
      {.type = (side == "source" ? std::string("Source") : std::string("Destination")) + "ClusterNoRegistryPath",
       .category = kCritical,
       .reason = "NotSet",
       .message = fmt::format("Direct image migration is selected and the {} cluster has no registry path: "
                              "set `exposedRegistryPath` on MigCluster {}, or `indirectImageMigration`.",
                              side, kube::key_of(*cluster).str())});
}

}  // namespace

Task<void> check_surroundings(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  // The first check that looks at kinds. They come and go: one that is gone cannot be listed, one that came may matter.
  co_await world->source_client->discovery(kube::Client::Refresh::kYes);
  co_await world->destination_client->discovery(kube::Client::Refresh::kYes);
  co_await check_registry(plan, world->source_client, &*world->source, "source", conditions);
  co_await check_registry(plan, world->source_client, &*world->destination, "destination", conditions);
  check_lengths(plan, world->settings, conditions);
  co_await check_identities(plan, world, conditions);
  co_await check_proxy(world->source_client, "source", conditions);
  co_await check_proxy(world->destination_client, "destination", conditions);
  co_await check_included(plan, world->source_client, conditions);
}

}  // namespace mtc::plan
