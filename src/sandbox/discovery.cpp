#include "sandbox/discovery.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kAggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const Json kVerbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};

using Groups = Resources::Groups;

std::string singular_of(const Resource& resource) {
  return resource.singular.empty() ? to_lower(resource.type.kind) : resource.singular;
}

/// A part of a kind that has a path of its own.
struct Subresource {
  const char* name;
  Json verbs;
  kube::ResourceType type;  ///< of what is read and written there
};

std::vector<Subresource> subresources_of(const Resource& resource) {
  const Json change = {"get", "patch", "update"}, make = {"create"}, read = {"get"};
  std::vector<Subresource> out;
  if (resource.status_subresource) out.push_back({"status", change, resource.type});
  if (resource.scale_subresource) out.push_back({"scale", change, {"autoscaling", "v1", "", "Scale"}});
  if (resource.custom) return out;
  if (resource.type.kind == "Pod") {
    out.push_back({"eviction", make, {"policy", "v1", "", "Eviction"}});
    out.push_back({"log", read, resource.type});
  }
  if (resource.type.kind == "ServiceAccount")
    out.push_back({"token", make, {"authentication.k8s.io", "v1", "", "TokenRequest"}});
  return out;
}

Json aggregated_resource(const Resource& resource) {
  Json out = {{"resource", resource.type.plural},
              {"responseKind",
               {{"group", resource.type.group}, {"version", resource.type.version}, {"kind", resource.type.kind}}},
              {"scope", resource.type.namespaced ? "Namespaced" : "Cluster"},
              {"singularResource", singular_of(resource)},
              {"verbs", kVerbs}};
  if (!resource.short_names.empty()) out["shortNames"] = resource.short_names;
  if (!resource.categories.empty()) out["categories"] = resource.categories;
  for (const auto& [name, verbs, type] : subresources_of(resource)) {
    out["subresources"].push_back(
        {{"subresource", name},
         {"verbs", verbs},
         {"responseKind", {{"group", type.group}, {"version", type.version}, {"kind", type.kind}}}});
  }
  return out;
}

Json aggregated_groups(const Groups& groups, bool core) {
  Json items = Json::array();
  for (const auto& [group, versions] : groups) {
    if (group.empty() != core) continue;
    Json item = {{"metadata", {{"name", group}}}, {"versions", Json::array()}};
    for (const auto& [version, served] : versions) {
      Json list = Json::array();
      for (const auto& resource : served) list.push_back(aggregated_resource(*resource));
      item["versions"].push_back({{"version", version}, {"resources", list}, {"freshness", "Current"}});
    }
    items.push_back(std::move(item));
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/v2"},
          {"metadata", Json::object()},
          {"items", items}};
}

Json legacy_list(const std::string& group_version, const std::vector<ResourcePtr>& resources) {
  Json list = Json::array();
  for (const auto& served_kind : resources) {
    const auto& resource = *served_kind;
    Json entry = {{"name", resource.type.plural},
                  {"singularName", singular_of(resource)},
                  {"namespaced", resource.type.namespaced},
                  {"kind", resource.type.kind},
                  {"verbs", kVerbs}};
    if (!resource.short_names.empty()) entry["shortNames"] = resource.short_names;
    if (!resource.categories.empty()) entry["categories"] = resource.categories;
    list.push_back(entry);
    for (const auto& [name, verbs, type] : subresources_of(resource)) {
      list.push_back({{"name", resource.type.plural + "/" + name},
                      {"singularName", ""},
                      {"namespaced", resource.type.namespaced},
                      {"group", type.group},
                      {"version", type.version},
                      {"kind", type.kind},
                      {"verbs", verbs}});
    }
  }
  return {{"kind", "APIResourceList"}, {"apiVersion", "v1"}, {"groupVersion", group_version}, {"resources", list}};
}

Json legacy_groups(const Groups& groups) {
  Json list = Json::array();
  for (const auto& [group, versions] : groups) {
    if (group.empty()) continue;
    Json served = Json::array();
    for (const auto& [version, resources] : versions)
      served.push_back({{"groupVersion", fmt::format("{}/{}", group, version)}, {"version", version}});
    list.push_back({{"name", group}, {"versions", served}, {"preferredVersion", served.front()}});
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", list}};
}

/// "/apis/apps/v1" → {"apps", "v1"}; "/api/v1" → {"", "v1"}.
std::optional<std::pair<std::string, std::string>> group_version_of(std::string_view path) {
  const auto parts = split(path, '/');
  if (parts.size() == 3 && parts[1] == "api") return std::pair{std::string(), parts[2]};
  if (parts.size() == 4 && parts[1] == "apis") return std::pair{parts[2], parts[3]};
  return std::nullopt;
}

const std::vector<ResourcePtr>* served_at(const Groups& groups, std::string_view path) {
  const auto wanted = group_version_of(path);
  if (!wanted) return nullptr;
  const auto group = groups.find(wanted->first);
  if (group == groups.end()) return nullptr;
  for (const auto& version : group->second) {
    if (version.name == wanted->second) return &version.kinds;
  }
  return nullptr;
}

}  // namespace

std::optional<Document> discovery_document(std::string_view path, std::string_view accept, const Resources& resources) {
  const bool aggregated = accept.contains("g=apidiscovery.k8s.io;v=v2;");
  const auto served_groups = resources.groups();
  const auto& groups = *served_groups;
  if (path == "/api" && aggregated) return Document{kAggregated, aggregated_groups(groups, true)};
  if (path == "/apis" && aggregated) return Document{kAggregated, aggregated_groups(groups, false)};
  if (path == "/api") return Document{"application/json", {{"kind", "APIVersions"}, {"versions", {"v1"}}}};
  if (path == "/apis") return Document{"application/json", legacy_groups(groups)};
  if (path.starts_with("/apis/") && split(path, '/').size() == 3) {
    const auto all = legacy_groups(groups);
    for (auto group : array_at(all, "groups")) {
      if (string_at(group, "name") != path.substr(6)) continue;
      group.update({{"kind", "APIGroup"}, {"apiVersion", "v1"}});
      return Document{"application/json", group};
    }
  }
  if (const auto* served = served_at(groups, path)) {
    const auto at = *group_version_of(path);
    return Document{"application/json",
                    legacy_list(at.first.empty() ? at.second : at.first + "/" + at.second, *served)};
  }
  return std::nullopt;
}

}  // namespace mtc::sandbox
