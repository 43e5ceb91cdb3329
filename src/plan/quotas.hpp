#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/client.hpp"
#include "plan/checks.hpp"

namespace mtc::plan {

const kube::ResourceType& resource_quotas();

/// The ResourceQuotas of a namespace; nullopt if the account may not list them.
Task<std::optional<std::vector<Json>>> quotas_of(kube::ClientPtr cluster, std::string ns);

/// The plan is looked at again when a quota of that namespace changes, or what is used of it; where the account may not
/// see them, after a minute.
Task<void> await_quotas(kube::ClientPtr cluster, std::string ns, PlanWorld* world);

}  // namespace mtc::plan
