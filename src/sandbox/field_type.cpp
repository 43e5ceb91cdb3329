#include "sandbox/field_type.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/error.hpp"
#include "json/patch.hpp"

namespace mtc::sandbox {
namespace {

// The +structType=atomic and +mapType=atomic markers of k8s.io/api.
constexpr std::array<std::string_view, 11> kAtomicMaps = {
    "selector", "nodeSelector", "configMapKeyRef",   "secretKeyRef",  "fieldRef",      "resourceFieldRef",
    "roleRef",  "podSelector",  "namespaceSelector", "labelSelector", "scaleTargetRef"};

/// The second key that lists of ports and of spread constraints have beside the strategic merge key.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kSecondKeys = {
    {{"containerPort", "protocol"}, {"port", "protocol"}, {"topologyKey", "whenUnsatisfiable"}}};

std::string last_of(const std::string& path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

FieldType::FieldType(const Resource& resource) : resource_(&resource) {
  if (resource.custom && !resource.schema.is_null()) schema_ = &resource.schema;
}

FieldType FieldType::field(const std::string& name) const {
  auto out = FieldType();
  out.resource_ = resource_;
  out.path_ = path_.empty() ? name : path_ + "." + name;
  if (schema_ != nullptr) {
    out.schema_ = member(object_at(*schema_, "properties"), name);
    if (out.schema_ == nullptr) out.schema_ = member(*schema_, "additionalProperties");
  }
  out.look_up();
  return out;
}

FieldType FieldType::element() const {
  auto out = FieldType();
  out.resource_ = resource_;
  out.path_ = path_;
  if (schema_ != nullptr) out.schema_ = member(*schema_, "items");
  if (out.schema_ != nullptr) out.look_up();
  out.atomic_map_ = out.atomic_map_ || last_of(path_) == "imagePullSecrets";
  return out;
}

void FieldType::look_up() {
  if (resource_->custom && !path_.starts_with("metadata")) {
    if (schema_ == nullptr || !schema_->is_object()) return;
    atomic_map_ = string_at(*schema_, "x-kubernetes-map-type") == "atomic";
    const auto type = string_at(*schema_, "x-kubernetes-list-type");
    list_ = type == "map" ? List::kMap : type == "set" ? List::kSet : List::kAtomic;
    for (const auto& key : strings_at(*schema_, "x-kubernetes-list-map-keys")) {
      const auto* preset = find(*schema_, "items.properties");
      if (preset != nullptr) preset = member(*preset, key);
      if (preset != nullptr) preset = member(*preset, "default");
      keys_.push_back({key, preset != nullptr ? *preset : Json()});
    }
    return;
  }
  const auto name = last_of(path_);
  atomic_map_ = std::ranges::find(kAtomicMaps, name) != kAtomicMaps.end();
  const auto strategy = list_strategy(resource_->type.kind, path_);
  if (strategy.kind == ListStrategy::Kind::kAtomic) return;
  list_ = strategy.kind == ListStrategy::Kind::kSet ? List::kSet : List::kMap;
  if (list_ == List::kSet) return;
  keys_.push_back({strategy.merge_key, Json()});
  for (const auto& [first, second] : kSecondKeys) {
    if (first == strategy.merge_key)
      keys_.push_back({std::string(second), second == "protocol" ? Json("TCP") : Json()});
  }
}

bool FieldType::is_atomic(const Json& value) const {
  if (value.is_array()) return list_ == List::kAtomic;
  return !value.is_object() || atomic_map_;
}

std::string FieldType::step_to(const Json& element) const {
  if (list_ == List::kSet) return "v:" + dump(element);
  Json identity = Json::object();
  for (const auto& key : keys_) {
    const auto* value = member(element, key.name);
    if (value == nullptr && key.preset.is_null())
      throw Error(Code::kInvalid, fmt::format(".{}: element has no \"{}\"", path_, key.name));
    identity[key.name] = value != nullptr ? *value : key.preset;
  }
  return "k:" + dump(identity);
}

}  // namespace mtc::sandbox
