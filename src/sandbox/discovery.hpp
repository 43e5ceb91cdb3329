#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// The discovery document at a path (/api, /apis, /api/v1, /apis/apps/v1 …), aggregated (apidiscovery.k8s.io/v2) if
/// `accept` asks for it; nullopt for other paths.
struct Document {
  std::string content_type;
  Json body;
};
std::optional<Document> discovery_document(std::string_view path, std::string_view accept, const Resources& resources);
/// /openapi/v3 and the documents it lists: enough for kubectl to send field validation to the server and to pick its
/// kind of patch.
std::optional<Json> openapi_document(std::string_view path, const Resources& resources);

}  // namespace mtc::sandbox
