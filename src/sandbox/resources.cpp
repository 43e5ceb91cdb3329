#include "sandbox/resources.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <tuple>

#include "base/strings.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kDefinitions = "customresourcedefinitions.apiextensions.k8s.io";

Resource from_definition(const Json& definition, const Json& version) {
  Resource out;
  const auto& names = object_at(definition, "spec.names");
  out.type = {string_at(definition, "spec.group"), string_at(version, "name"), string_at(names, "plural"),
              string_at(names, "kind"), string_at(definition, "spec.scope") == "Namespaced"};
  out.short_names = strings_at(names, "shortNames");
  out.categories = strings_at(names, "categories");
  out.singular = string_at(names, "singular");
  out.list_kind = string_at(names, "listKind");
  out.custom = true;
  out.defined_at = std::strtoull(string_at(definition, "metadata.resourceVersion").c_str(), nullptr, 10);
  out.status_subresource = mtc::find(version, "subresources.status") != nullptr;
  if (const auto* scale = mtc::find(version, "subresources.scale")) {
    out.scale_subresource = true;
    out.scale_spec_path = string_at(*scale, "specReplicasPath");
    out.scale_status_path = string_at(*scale, "statusReplicasPath");
    out.scale_selector_path = string_at(*scale, "labelSelectorPath");
  }
  if (const auto* schema = mtc::find(version, "schema.openAPIV3Schema")) out.schema = *schema;
  for (const auto& column : array_at(version, "additionalPrinterColumns")) {
    out.columns.push_back({string_at(column, "name"), string_at(column, "type"), string_at(column, "jsonPath"),
                           static_cast<int>(int_at(column, "priority").value_or(0))});
  }
  for (const auto& field : array_at(version, "selectableFields"))
    out.selectable_fields.push_back(string_at(field, "jsonPath"));
  return out;
}

/// "v1" before "v2beta1" before "v2alpha1" before anything else; among equals the higher number first.
std::tuple<int, int, int, std::string> preference(const std::string& version) {
  int major = 0, minor = 0, used = 0;
  if (std::sscanf(version.c_str(), "v%d%n", &major, &used) != 1) return {3, 0, 0, version};
  const auto rest = version.substr(static_cast<std::size_t>(used));
  if (rest.empty()) return {0, -major, 0, ""};
  for (const auto& [name, rank] : {std::pair{"beta%d", 1}, std::pair{"alpha%d", 2}}) {
    if (std::sscanf(rest.c_str(), name, &minor) == 1) return {rank, -major, -minor, ""};
  }
  return {3, 0, 0, version};
}

void add(Resources::Groups& groups, ResourcePtr resource) {
  auto& versions = groups[resource->type.group];
  auto at = std::ranges::find(versions, resource->type.version, &Resources::Version::name);
  if (at == versions.end()) at = versions.insert(at, {resource->type.version, {}});
  at->kinds.push_back(std::move(resource));
}

}  // namespace

std::shared_ptr<const Resources::Groups> Resources::groups() const {
  const auto revision = storage_->changed(kDefinitions);
  if (!served_ || served_->revision != revision) {
    auto served = std::make_shared<Served>();
    served->revision = revision;
    for (const auto& resource : built_in_resources()) add(served->groups, resource);
    for (const auto& definition : storage_->list(kDefinitions, "")) {
      for (const auto& version : array_at(*definition, "spec.versions")) {
        if (bool_at(version, "served"))
          add(served->groups, std::make_shared<const Resource>(from_definition(*definition, version)));
      }
    }
    for (auto& [group, versions] : served->groups)
      std::ranges::sort(versions, {}, [](const Version& version) { return preference(version.name); });
    served_ = std::move(served);
  }
  return {served_, &served_->groups};
}

std::vector<ResourcePtr> Resources::all() const {
  std::vector<ResourcePtr> out;
  for (const auto& [group, versions] : *groups()) {
    std::vector<std::string> seen;
    for (const auto& version : versions) {
      for (const auto& resource : version.kinds) {
        if (std::ranges::find(seen, resource->type.plural) != seen.end()) continue;
        seen.push_back(resource->type.plural);
        out.push_back(resource);
      }
    }
  }
  return out;
}

ResourcePtr Resources::find(const std::string& group, const std::string& version, const std::string& plural) const {
  const auto served = groups();
  const auto versions = served->find(group);
  if (versions == served->end()) return nullptr;
  for (const auto& candidate : versions->second) {
    if (candidate.name != version) continue;
    for (const auto& resource : candidate.kinds) {
      if (resource->type.plural == plural) return resource;
    }
  }
  return nullptr;
}

}  // namespace mtc::sandbox
