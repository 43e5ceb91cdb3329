#pragma once

#include <string>

#include "kube/client.hpp"

namespace mtc::plan {

/// The ConfigMap of our namespace that has a cluster's own settings.
inline constexpr auto kClusterSettings = "migration-cluster-config";

/// A cluster's own settings: a key of kClusterSettings; "" if it is not set.
Task<std::string> cluster_setting(kube::ClientPtr cluster, std::string key);

}  // namespace mtc::plan
