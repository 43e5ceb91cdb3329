#include "sandbox/openapi.hpp"

#include <set>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "sandbox/built_in_types.hpp"

namespace mtc::sandbox {
namespace {

constexpr std::string_view kRoot = "/openapi/v3";

std::string name_of(const BuiltInType& type) { return "io.k8s." + type.name; }

Json scalar_schema(const std::string& type) {
  if (type == "int") return {{"type", "integer"}, {"format", "int64"}};
  if (type == "number") return {{"type", "number"}};
  if (type == "bool") return {{"type", "boolean"}};
  if (type == "bytes") return {{"type", "string"}, {"format", "byte"}};
  if (type == "Time") return {{"type", "string"}, {"format", "date-time"}};
  if (type == "IntOrString") return {{"type", "string"}, {"format", "int-or-string"}};
  if (type == "Raw") return {{"type", "object"}};
  return {{"type", "string"}};
}

/// The schemas of types, each with all that it refers to.
class Schemas {
 public:
  void add(const BuiltInType& type) {
    if (!seen_.insert(&type).second) return;
    Json properties = Json::object();
    add_fields(type, properties);
    schemas_[name_of(type)] = {{"type", "object"}, {"properties", std::move(properties)}};
  }
  Json& of(const std::string& name) { return schemas_[name]; }
  Json take() { return std::move(schemas_); }

 private:
  void add_fields(const BuiltInType& type, Json& properties) {
    for (const auto& field : type.fields) {
      if (field.inlined) {
        add_fields(*field.type, properties);
      } else {
        properties[field.name] = field_schema(field);
      }
    }
  }

  Json field_schema(const BuiltInField& field) {
    Json value = scalar_schema(field.scalar);
    if (field.type != nullptr) {
      add(*field.type);
      value = {{"$ref", "#/components/schemas/" + name_of(*field.type)}};
    }
    if (field.shape == BuiltInField::Shape::kMap) return {{"type", "object"}, {"additionalProperties", value}};
    if (field.shape == BuiltInField::Shape::kOne) return value;
    Json list = {{"type", "array"}, {"items", value}};
    list["x-kubernetes-list-type"] = field.set ? "set" : field.keys.empty() ? "atomic" : "map";
    if (!field.keys.empty()) list["x-kubernetes-list-map-keys"] = field.keys;
    if (!field.merge_key.empty()) list["x-kubernetes-patch-merge-key"] = field.merge_key;
    if (field.set || !field.merge_key.empty())
      list["x-kubernetes-patch-strategy"] = field.retain_keys ? "merge,retainKeys" : "merge";
    return list;
  }

  std::set<const BuiltInType*> seen_;
  Json schemas_ = Json::object();
};

Json kind_of(const Resource& resource) {
  return {{"group", resource.type.group}, {"version", resource.type.version}, {"kind", resource.type.kind}};
}

void add_kind(const Resource& resource, Schemas& schemas) {
  const auto* type = resource.custom ? nullptr : built_in_type(resource.type.kind);
  auto name = fmt::format("{}.{}.{}", resource.type.group, resource.type.version, resource.type.kind);
  if (type != nullptr) {
    schemas.add(*type);
    name = name_of(*type);
  } else {
    schemas.of(name) = resource.schema.is_null() ? Json{{"type", "object"}} : resource.schema;
  }
  const auto* metadata = built_in_type("ObjectMeta");
  schemas.add(*metadata);
  auto& schema = schemas.of(name);
  auto& properties = schema["properties"];
  for (const auto* field : {"apiVersion", "kind"}) properties[field] = {{"type", "string"}};
  properties["metadata"] = {{"$ref", "#/components/schemas/" + name_of(*metadata)}};
  schema["x-kubernetes-group-version-kind"] = Json::array({kind_of(resource)});
}

/// The patches that a kind takes, at the path of one object.
void add_path(const Resource& resource, Json& paths) {
  const auto root = resource.type.group.empty() ? "/api/v1" : "/apis/" + resource.type.api_version();
  const auto path = fmt::format("{}{}/{}/{{name}}", root, resource.type.namespaced ? "/namespaces/{namespace}" : "",
                                resource.type.plural);
  Json content = Json::object();
  for (const auto* type : {"json-patch+json", "merge-patch+json", "apply-patch+yaml"})
    content["application/" + std::string(type)] = Json::object();
  if (built_in_type(resource.type.kind) != nullptr && !resource.custom)
    content["application/strategic-merge-patch+json"] = Json::object();
  Json parameters = Json::array();
  for (const auto* name : {"dryRun", "fieldManager", "fieldValidation", "force"})
    parameters.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
  paths[path]["patch"] = {{"x-kubernetes-group-version-kind", kind_of(resource)},
                          {"x-kubernetes-action", "patch"},
                          {"parameters", parameters},
                          {"requestBody", {{"content", content}}},
                          {"responses", {{"200", {{"description", "OK"}}}}}};
}

Json list_of_documents(const Resources::Groups& groups) {
  Json paths = Json::object();
  for (const auto& [group, versions] : groups) {
    for (const auto& version : versions) {
      const auto name = group.empty() ? "api/" + version.name : fmt::format("apis/{}/{}", group, version.name);
      paths[name] = {{"serverRelativeURL", fmt::format("{}/{}", kRoot, name)}};
    }
  }
  return {{"paths", paths}};
}

}  // namespace

std::optional<Json> openapi_document(std::string_view path, const Resources& resources) {
  if (!path.starts_with(kRoot)) return std::nullopt;
  const auto groups = resources.groups();
  if (path == kRoot) return list_of_documents(*groups);
  const auto parts = split(path.substr(kRoot.size()), '/');  // "", "apis", "apps", "v1"
  const bool core = parts.size() == 3 && parts[1] == "api";
  if (!core && (parts.size() != 4 || parts[1] != "apis")) return std::nullopt;
  const auto group = groups->find(core ? "" : parts[2]);
  if (group == groups->end()) return std::nullopt;
  for (const auto& version : group->second) {
    if (version.name != parts.back()) continue;
    Schemas schemas;
    Json paths = Json::object();
    for (const auto& resource : version.kinds) {
      add_kind(*resource, schemas);
      add_path(*resource, paths);
    }
    return Json{{"openapi", "3.0.0"},
                {"info", {{"title", "mtc sandbox"}, {"version", "v1.34.0"}}},
                {"paths", paths},
                {"components", {{"schemas", schemas.take()}}}};
  }
  return std::nullopt;
}

}  // namespace mtc::sandbox
