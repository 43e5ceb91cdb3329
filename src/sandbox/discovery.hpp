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
}  // namespace mtc::sandbox
