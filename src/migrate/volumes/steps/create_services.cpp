#include <fmt/format.h>

#include "base/strings.hpp"
#include "migrate/volumes/endpoints.hpp"
#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/steps/steps.hpp"
#include "plan/cluster_settings.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kSlow = std::chrono::minutes(3);

}  // namespace

Task<Outcome> create_services(Copying& c) {
  const auto type = co_await plan::endpoint_type(c.destination);
  if (type == plan::kRelayAlone) co_return done();  // a receiver without a Service is reached by a relay alone
  for (const auto& claim : c.self.claims)
    co_await ensure_ours(c.destination, kube::types::services(), service_of(c, claim, type));
  co_return done();
}

Task<Outcome> ensure_services_usable(Copying& c) {
  std::vector<std::string> waiting;
  std::vector<Subject> subjects;
  for (const auto& claim : c.self.claims) {
    const kube::ObjectKey key{claim.target.ns, service_name(c, claim)};
    const auto service = co_await c.destination->get(kube::types::services(), key);
    if (!service || has_address(*service)) continue;
    waiting.push_back(key.str());
  }
  if (waiting.empty()) co_return done();
  for (const auto& ns : c.destination_namespaces())
    subjects.push_back({c.destination, kube::types::services(), ns, selector_of(c)});
  if (c.in_phase() > kSlow) {
    c.conditions->set(
        {.type = "RsyncRouteNotAdmitted",
         .category = api::Category::kWarn,
         .reason = "NotReady",
         .message = fmt::format("Services [{}] of the destination have no load balancer after 3 minutes. "
                                "Set RSYNC_ENDPOINT_TYPE of ConfigMap migration-cluster-config to NodePort "
                                "or Relay if the cluster has none.",
                                join(waiting, ", "))});
  }
  co_return wait_for(std::move(subjects), std::chrono::minutes(3));
}

}  // namespace mtc::migrate::volumes
