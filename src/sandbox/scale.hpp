#pragma once

#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// autoscaling/v1 Scale of a workload.
Json scale_of(const Resource& resource, const Json& object);
/// The workload with the replicas that a Scale asks for, and its resourceVersion if it names one.
Json scaled(const Resource& resource, Json object, const Json& scale);

}  // namespace mtc::sandbox
