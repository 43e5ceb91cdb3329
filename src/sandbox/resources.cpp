#include "sandbox/resources.hpp"

#include <algorithm>

namespace mtc::sandbox {
namespace {

Resource from_definition(const Json& definition, const Json& version) {
  Resource out;
  const auto& names = object_at(definition, "spec.names");
  out.type = {string_at(definition, "spec.group"), string_at(version, "name"), string_at(names, "plural"),
              string_at(names, "kind"), string_at(definition, "spec.scope") == "Namespaced"};
  out.short_names = strings_at(names, "shortNames");
  out.singular = string_at(names, "singular");
  out.custom = true;
  out.status_subresource = mtc::find(version, "subresources.status") != nullptr;
  out.scale_subresource = mtc::find(version, "subresources.scale") != nullptr;
  if (const auto* schema = mtc::find(version, "schema.openAPIV3Schema")) out.schema = *schema;
  for (const auto& column : array_at(version, "additionalPrinterColumns")) {
    if (string_at(column, "name") != "Age")
      out.columns.push_back({string_at(column, "name"), string_at(column, "type"), string_at(column, "jsonPath")});
  }
  return out;
}

}  // namespace

std::vector<Resource> Resources::all() const {
  auto out = built_in_resources();
  for (const auto& definition : storage_->list("customresourcedefinitions.apiextensions.k8s.io", "")) {
    if (!string_at(definition, "metadata.deletionTimestamp").empty()) continue;
    for (const auto& version : array_at(definition, "spec.versions")) {
      if (bool_at(version, "served")) out.push_back(from_definition(definition, version));
    }
  }
  return out;
}

std::optional<Resource> Resources::find(const std::string& group, const std::string& version,
                                        const std::string& plural) const {
  for (const auto& resource : built_in_resources()) {
    if (resource.type.group == group && resource.type.version == version && resource.type.plural == plural)
      return resource;
  }
  if (group.empty()) return std::nullopt;
  const auto definition = storage_->get({"customresourcedefinitions.apiextensions.k8s.io", "", plural + "." + group});
  if (!definition) return std::nullopt;
  for (const auto& candidate : array_at(*definition, "spec.versions")) {
    if (string_at(candidate, "name") == version && bool_at(candidate, "served"))
      return from_definition(*definition, candidate);
  }
  return std::nullopt;
}

}  // namespace mtc::sandbox
