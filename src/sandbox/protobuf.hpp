#pragma once

#include <optional>
#include <string_view>

#include "json/json.hpp"

namespace mtc::sandbox {

/// True for a body in Kubernetes' protobuf envelope ("k8s\0" and a runtime.Unknown).
bool is_protobuf(std::string_view body);
/// The object in it as JSON; nullopt for a kind that is none of built_in_types.hpp. Throws Error(kInvalid) for bytes
/// that are no protobuf.
std::optional<Json> from_protobuf(std::string_view body);

}  // namespace mtc::sandbox
