#pragma once

#include <string>

#include "json/json.hpp"

namespace mtc::sandbox {

/// What a pod's container may learn of the pod: "metadata.name", "status.podIP", "metadata.annotations['a']". "" for
/// what is not there.
std::string field_of(const Json& pod, const std::string& path);

}  // namespace mtc::sandbox
