#pragma once

#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace mtc::api {

/// The YAML of each CustomResourceDefinition that the controller installs: our ten kinds, and the kinds of Velero that
/// it writes.
///
/// None of the ten has the status subresource: MTC's have none either, so its tools write whole objects to the main
/// endpoint and must keep working (spec api.md §1.1).
const std::vector<std::string_view>& crd_texts();
/// The same, parsed.
std::vector<Json> crds();

}  // namespace mtc::api
