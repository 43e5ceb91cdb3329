#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "json/json.hpp"
#include "plan/checks.hpp"
#include "plan/workloads.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;

/// Node selectors that every cluster can serve.
constexpr std::array kHarmlessSelectors = {"node-role.kubernetes.io/compute", "kubernetes.io/arch",
                                           "kubevirt.io/schedulable"};

bool is_running(const Json& pod) { return string_at(pod, "status.phase") == "Running"; }

bool has_node_selector(const Json& pod) {
  const auto& selector = object_at(pod, "spec.nodeSelector");
  return std::ranges::any_of(selector.items(), [](const auto& entry) {
    return std::ranges::find(kHarmlessSelectors, entry.key()) == kHarmlessSelectors.end();
  });
}

bool is_unhealthy(const Json& pod) {
  if (string_at(pod, "status.phase") == "Failed") return true;
  for (const auto* list : {"status.initContainerStatuses", "status.containerStatuses"}) {
    for (const auto& container : array_at(pod, list)) {
      const auto reason = string_at(container, "state.waiting.reason");
      if (!bool_at(container, "ready") &&
          (reason == "ImagePullBackOff" || reason == "CrashLoopBackOff" || reason == "ErrImagePull"))
        return true;
    }
  }
  return false;
}

/// What the pods of the source tell, namespace by namespace.
struct Findings {
  std::size_t running = 0;
  std::vector<std::string> selecting;  ///< namespaces
  std::map<std::string, std::vector<std::string>> unhealthy;
};

Task<Findings> look_at_pods(kube::ClientPtr source, std::vector<std::string> namespaces) {
  Findings out;
  for (const auto& ns : namespaces) {
    bool selects = false;
    for (const auto& pod : co_await kube::list_all(*source, kube::types::pods(), ns)) {
      if (is_running(pod)) ++out.running;
      selects = selects || (is_running(pod) && has_node_selector(pod));
      if (is_unhealthy(pod)) out.unhealthy[ns].push_back(kube::key_of(pod).name);
    }
    if (selects) out.selecting.push_back(ns);
  }
  co_return out;
}

/// status.namespaces (spec api.md §2.3).
Json unhealthy_status(const Findings& findings) {
  Json out = Json::array();
  for (const auto& [ns, pods] : findings.unhealthy)
    out.push_back({{"name", ns}, {"workloads", Json::array({{{"name", "Pods"}, {"resources", pods}}})}});
  return out;
}

void tell(const Findings& findings, const Settings& settings, api::Conditions* conditions) {
  if (findings.running > settings.pod_limit) {
    conditions->set(
        {.type = "PodLimitExceeded",
         .category = kWarn,
         .reason = "LimitExceeded",
         .message = fmt::format("Pods limit: {} exceeded, found: {}.", settings.pod_limit, findings.running)});
  }
  if (findings.selecting.empty()) {
    conditions->remove("NamespacesHaveNodeSelectors");
  } else {
    conditions->set({.type = "NamespacesHaveNodeSelectors",
                     .category = kWarn,
                     .reason = "NodeSelectorsDetected",
                     .message = "Pods of namespaces [] select nodes by labels. Make sure that nodes of the destination "
                                "have them, or the pods will not start there.",
                     .durable = true,
                     .items = findings.selecting});
  }
  if (findings.unhealthy.empty()) return;
  std::vector<std::string> namespaces;
  namespaces.reserve(findings.unhealthy.size());
  for (const auto& [ns, pods] : findings.unhealthy) namespaces.push_back(ns);
  conditions->set({.type = "SourcePodsNotHealthy",
                   .category = kWarn,
                   .reason = "NotHealthy",
                   .message = "Source namespaces [] have unhealthy pods. See status.namespaces for details.",
                   .items = std::move(namespaces)});
}

/// What would go on running although the migration was told to stop it.
Task<void> check_quiesce(kube::ClientPtr source, std::vector<std::string> namespaces, api::Conditions* conditions) {
  auto workloads = co_await workloads_of(std::move(source), std::move(namespaces));
  if (!workloads.remaining.empty()) {
    conditions->set({.type = "WorkloadsCannotBeQuiesced",
                     .category = kWarn,
                     .reason = "NotSupported",
                     .message = "`quiescePods` cannot stop pods []: no workload that can be scaled owns them. Stop "
                                "them yourself before the migration.",
                     .items = std::move(workloads.remaining)});
  }
  if (!workloads.contested.empty()) {
    conditions->set({.type = "WorkloadsMayBeRestarted",
                     .category = kWarn,
                     .reason = "OwnedByOthers",
                     .message = "`quiescePods` stops [], and their owners may start them again. Pause those owners "
                                "before the migration.",
                     .items = std::move(workloads.contested)});
  }
}

}  // namespace

Task<Json> check_pods(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  std::vector<std::string> namespaces;
  namespaces.reserve(plan.namespaces.size());
  for (const auto& ns : plan.namespaces) namespaces.push_back(ns.source);
  const auto findings = co_await look_at_pods(world->source_client, namespaces);
  tell(findings, world->settings, conditions);
  co_await check_quiesce(world->source_client, namespaces, conditions);
  co_return unhealthy_status(findings);
}

}  // namespace mtc::plan
