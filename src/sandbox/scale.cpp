#include "sandbox/scale.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "json/selector.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

/// ".spec.replicas" as find() and set_at() take it.
std::string_view plain(const std::string& path) { return std::string_view(path).substr(path.starts_with('.') ? 1 : 0); }

std::string selector_text(const Resource& resource, const Json& object) {
  if (resource.custom)
    return resource.scale_selector_path.empty() ? "" : string_at(object, plain(resource.scale_selector_path));
  const auto& selector = object_at(object, "spec.selector");
  const bool bare = resource.type.kind == "ReplicationController";
  return bare ? Selector::from_json({{"matchLabels", selector}}).str() : Selector::from_json(selector).str();
}

}  // namespace

Json scale_of(const Resource& resource, const Json& object) {
  const auto& metadata = object_at(object, "metadata");
  Json shown = Json::object();
  for (const auto* field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (metadata.contains(field)) shown[field] = metadata[field];
  }
  Json status = {{"replicas", int_at(object, plain(resource.scale_status_path)).value_or(0)}};
  if (const auto selector = selector_text(resource, object); !selector.empty()) status["selector"] = selector;
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata", shown},
          {"spec", {{"replicas", int_at(object, plain(resource.scale_spec_path)).value_or(0)}}},
          {"status", status}};
}

Json scaled(const Resource& resource, Json object, const Json& scale) {
  const auto replicas = int_at(scale, "spec.replicas").value_or(0);
  const auto name = string_at(object, "metadata.name");
  if (const auto given = string_at(scale, "metadata.name"); !given.empty() && given != name)
    throw Failure(400, "BadRequest",
                  fmt::format("the name of the object ({}) does not match the name on the URL ({})", given, name));
  if (replicas < 0)
    throw Failure(422, "Invalid",
                  fmt::format("Scale.autoscaling \"{}\" is invalid: spec.replicas: Invalid value: {}: must be greater "
                              "than or equal to 0",
                              name, replicas));
  set_at(object, plain(resource.scale_spec_path), replicas);
  if (const auto version = string_at(scale, "metadata.resourceVersion"); !version.empty())
    object["metadata"]["resourceVersion"] = version;
  return object;
}

}  // namespace mtc::sandbox
