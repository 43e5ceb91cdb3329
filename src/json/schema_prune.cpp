#include <fmt/format.h>

#include "json/json.hpp"
#include "json/schema.hpp"

namespace mtc {
namespace {

/// The schema of a member: its property, or additionalProperties; nullptr if the schema does not know it.
const Json* schema_of(const Json& schema, const std::string& name) {
  if (const auto* property = member(object_at(schema, "properties"), name)) return property;
  const auto* additional = member(schema, "additionalProperties");
  return additional != nullptr && (additional->is_object() || *additional == true) ? additional : nullptr;
}

bool is_object_meta(const std::string& name) { return name == "apiVersion" || name == "kind" || name == "metadata"; }

void prune_below(const Json& schema, Json& value, const std::string& path, bool is_resource,
                 std::vector<std::string>& dropped) {
  if (value.is_array()) {
    const auto* items = member(schema, "items");
    if (items == nullptr) return;
    for (std::size_t i = 0; i < value.size(); ++i)
      prune_below(*items, value[i], fmt::format("{}[{}]", path, i), false, dropped);
    return;
  }
  if (!value.is_object()) return;
  is_resource = is_resource || bool_at(schema, "x-kubernetes-embedded-resource");
  const bool keep_unknown = bool_at(schema, "x-kubernetes-preserve-unknown-fields");
  for (auto at = value.begin(); at != value.end();) {
    const auto name = at.key();
    const auto here = path.empty() ? name : path + "." + name;
    const auto* known = schema_of(schema, name);
    if (is_resource && is_object_meta(name)) {
      ++at;
    } else if (known != nullptr) {
      if (known->is_object()) prune_below(*known, at.value(), here, false, dropped);
      ++at;
    } else if (keep_unknown) {
      ++at;
    } else {
      dropped.push_back(here);
      at = value.erase(at);
    }
  }
}

}  // namespace

std::vector<std::string> prune(const Json& schema, Json& value) {
  std::vector<std::string> dropped;
  prune_below(schema, value, "", true, dropped);
  return dropped;
}

void apply_defaults(const Json& schema, Json& value) {
  if (value.is_array()) {
    const auto* items = member(schema, "items");
    if (items == nullptr) return;
    for (auto& element : value) apply_defaults(*items, element);
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [name, property] : object_at(schema, "properties").items()) {
    const auto* preset = member(property, "default");
    auto at = value.find(name);
    // A null that the schema does not allow counts as absent, if there is a default to put in its place.
    if (at != value.end() && at->is_null() && !bool_at(property, "nullable") && preset != nullptr) {
      value.erase(at);
      at = value.end();
    }
    if (at == value.end() && preset != nullptr) value[name] = *preset;
    if (value.contains(name)) apply_defaults(property, value[name]);
  }
  const auto* additional = member(schema, "additionalProperties");
  if (additional == nullptr || !additional->is_object()) return;
  for (auto& [name, child] : value.items()) {
    if (!object_at(schema, "properties").contains(name)) apply_defaults(*additional, child);
  }
}

}  // namespace mtc
