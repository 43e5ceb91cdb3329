#include <fmt/format.h>

#include "base/error.hpp"
#include "json/json.hpp"
#include "json/schema.hpp"

namespace mtc {
namespace {

/// Lists of objects with defaults in lists of objects with defaults: a short schema could say very much.
constexpr std::size_t kMostDefaults = 1'000'000;

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
    const auto here = path.empty() ? name : fmt::format("{}.{}", path, name);
    const auto* known = schema_of(schema, name);
    const bool is_meta = is_resource && is_object_meta(name);
    if (!is_meta && known == nullptr && !keep_unknown) {
      dropped.push_back(here);
      at = value.erase(at);
      continue;
    }
    if (!is_meta && known != nullptr && known->is_object()) prune_below(*known, at.value(), here, false, dropped);
    ++at;
  }
}

std::size_t count_of(const Json& value) {
  std::size_t count = 1;
  if (!value.is_structured()) return count;
  for (const auto& child : value) count += count_of(child);
  return count;
}

void default_below(const Json& schema, Json& value, std::size_t& left);

/// A null that the schema does not allow counts as absent, if there is a default to put in its place.
void put_default(const Json& property, const std::string& name, Json& value, std::size_t& left) {
  const auto* preset = member(property, "default");
  const auto* present = member(value, name);
  const bool absent = present == nullptr || (present->is_null() && !bool_at(property, "nullable"));
  if (absent && preset != nullptr) {
    const auto count = count_of(*preset);
    if (count > left)
      throw Error(Code::kInvalid, fmt::format("the schema's defaults come to more than {} values", kMostDefaults));
    left -= count;
    value[name] = *preset;
  }
  if (value.contains(name)) default_below(property, value[name], left);
}

void default_below(const Json& schema, Json& value, std::size_t& left) {
  if (value.is_array()) {
    const auto* items = member(schema, "items");
    if (items == nullptr) return;
    for (auto& element : value) default_below(*items, element, left);
    return;
  }
  if (!value.is_object()) return;
  const auto& properties = object_at(schema, "properties");
  for (const auto& [name, property] : properties.items()) put_default(property, name, value, left);
  const auto* additional = member(schema, "additionalProperties");
  if (additional == nullptr || !additional->is_object()) return;
  for (auto& [name, child] : value.items()) {
    if (!properties.contains(name)) default_below(*additional, child, left);
  }
}

}  // namespace

std::vector<std::string> prune(const Json& schema, Json& value) {
  std::vector<std::string> dropped;
  prune_below(schema, value, "", true, dropped);
  return dropped;
}

void apply_defaults(const Json& schema, Json& value) {
  std::size_t left = kMostDefaults;
  default_below(schema, value, left);
}

}  // namespace mtc
