#include "plan/quotas.hpp"

#include <chrono>

#include "base/error.hpp"

namespace mtc::plan {

const kube::ResourceType& resource_quotas() {
  static const kube::ResourceType type{"", "v1", "resourcequotas", "ResourceQuota"};
  return type;
}

Task<std::optional<std::vector<Json>>> quotas_of(kube::ClientPtr cluster, std::string ns) {
  try {
    co_return co_await kube::list_all(*cluster, resource_quotas(), ns);
  } catch (const Error& error) {
    if (error.code() != Code::kForbidden) throw;
  }
  co_return std::nullopt;
}

Task<void> await_quotas(kube::ClientPtr cluster, std::string ns, PlanWorld* world) {
  if (co_await quotas_of(cluster, ns)) {
    world->awaited.push_back({cluster, resource_quotas(), ns});
  } else {
    world->look_again = std::chrono::minutes(1);
  }
}

}  // namespace mtc::plan
