#pragma once

#include <string>

#include "kube/client.hpp"

namespace mtc::plan {

/// A cluster's own settings: a key of ConfigMap migration-cluster-config in our namespace; "" if it is not set.
Task<std::string> cluster_setting(kube::ClientPtr cluster, std::string key);

}  // namespace mtc::plan
