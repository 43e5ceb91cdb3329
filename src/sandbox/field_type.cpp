#include "sandbox/field_type.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace mtc::sandbox {

FieldType::FieldType(const Resource& resource)
    : type_(resource.custom ? nullptr : built_in_type(resource.type.kind)),
      schema_(resource.schema.is_null() ? nullptr : &resource.schema) {}

FieldType FieldType::field(const std::string& name) const {
  FieldType out;
  if (is_map_) {
    out.type_ = type_;
    return out;
  }
  // Every kind has the same metadata; schemas say little of it.
  if (schema_ != nullptr && name == "metadata" && find(*schema_, "properties.metadata.properties") == nullptr) {
    out.type_ = built_in_type("ObjectMeta");
    return out;
  }
  if (const auto* known = type_ != nullptr ? type_->field(name) : nullptr) out.read(*known);
  if (schema_ == nullptr) return out;
  const auto* property = member(object_at(*schema_, "properties"), name);
  if (property == nullptr) property = member(*schema_, "additionalProperties");
  if (property != nullptr && property->is_object()) out.read(*property);
  return out;
}

FieldType FieldType::element() const {
  FieldType out;
  out.type_ = type_;
  out.atomic_map_ = type_ != nullptr && type_->atomic;
  const auto* items = schema_ != nullptr ? member(*schema_, "items") : nullptr;
  if (items != nullptr && items->is_object()) out.read(*items);
  return out;
}

void FieldType::read(const BuiltInField& field) {
  type_ = field.type;
  is_map_ = field.shape == BuiltInField::Shape::kMap;
  atomic_map_ = field.atomic || (field.shape == BuiltInField::Shape::kOne && type_ != nullptr && type_->atomic);
  list_ = field.set ? List::kSet : field.keys.empty() ? List::kAtomic : List::kMap;
  for (const auto& key : field.keys) keys_.push_back({key, key == "protocol" ? Json("TCP") : Json()});
}

void FieldType::read(const Json& schema) {
  schema_ = &schema;
  atomic_map_ = string_at(schema, "x-kubernetes-map-type") == "atomic";
  const auto type = string_at(schema, "x-kubernetes-list-type");
  list_ = type == "map" ? List::kMap : type == "set" ? List::kSet : List::kAtomic;
  const auto& properties = object_at(schema, "items.properties");
  for (const auto& key : strings_at(schema, "x-kubernetes-list-map-keys")) {
    const auto* property = member(properties, key);
    const auto* preset = property != nullptr ? member(*property, "default") : nullptr;
    keys_.push_back({key, preset != nullptr ? *preset : Json()});
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
      throw Error(Code::kInvalid, fmt::format("an element of a list has no \"{}\"", key.name));
    identity[key.name] = value != nullptr ? *value : key.preset;
  }
  return "k:" + dump(identity);
}

}  // namespace mtc::sandbox
