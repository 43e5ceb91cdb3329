#include <array>

#include "json/json.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLimit = std::chrono::minutes(10);

bool is_unhealthy(const Json& pod) {
  if (string_at(pod, "status.phase") == "Failed") return true;
  for (const auto& container : array_at(pod, "status.containerStatuses")) {
    const auto reason = string_at(container, "state.waiting.reason");
    if (reason == "ImagePullBackOff" || reason == "CrashLoopBackOff" || reason == "ErrImagePull") return true;
  }
  return false;
}

/// Whether as many pods are ready as were asked for.
bool is_settled(const Json& workload) {
  if (string_at(workload, "kind") == "DaemonSet")
    return int_at(workload, "status.desiredNumberScheduled").value_or(0) ==
           int_at(workload, "status.numberReady").value_or(0);
  return int_at(workload, "spec.replicas").value_or(1) == int_at(workload, "status.readyReplicas").value_or(0);
}

}  // namespace

Task<Outcome> verification(Migration& m) {
  Json unhealthy = Json::array();
  bool settled = true;
  std::vector<Subject> subjects;
  for (const auto& ns : m.destination_namespaces()) {
    Json pods = Json::array();
    for (const auto& pod : co_await kube::list_all(*m.destination, kube::types::pods(), ns)) {
      if (is_unhealthy(pod)) pods.push_back("Pod/" + kube::key_of(pod).name);
    }
    if (!pods.empty()) unhealthy.push_back(ns);
    for (const auto& type : {kube::types::deployments(), kube::types::stateful_sets(), kube::types::daemon_sets()}) {
      for (const auto& workload : co_await kube::list_all(*m.destination, type, ns))
        settled = settled && is_settled(workload);
      subjects.push_back({m.destination, type, ns, ""});
    }
  }
  if (settled) co_return done();
  if (unhealthy.empty() && m.in_phase() < kLimit) co_return wait_for(std::move(subjects), std::chrono::seconds(30));
  m.conditions->set(
      {.type = "UnhealthyNamespaces",
       .category = api::Category::kWarn,
       .reason = "ErrorsDetected",
       .message = "Workloads of the destination namespaces [] are not healthy.",
       .durable = true,
       .items = unhealthy.empty() ? m.destination_namespaces() : unhealthy.get<std::vector<std::string>>()});
  co_return done();
}

}  // namespace mtc::migrate
