#pragma once

#include <optional>
#include <string_view>

#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// /openapi/v3 and the documents it lists: schemas for kubectl explain and apply, and what patches each kind takes;
/// nullopt for other paths.
std::optional<Json> openapi_document(std::string_view path, const Resources& resources);

}  // namespace mtc::sandbox
