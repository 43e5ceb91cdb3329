#pragma once

#include "base/clock.hpp"
#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// meta.k8s.io/v1 Table, which kubectl get asks for.
Json table_of(const Resource& resource, const std::vector<Json>& objects, const std::string& resource_version,
              Time now);

}  // namespace mtc::sandbox
