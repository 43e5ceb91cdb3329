#include <map>

#include "json/json.hpp"
#include "plan/checks.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;

/// Objects of a type in the source namespaces, as "ns/name"; none if the cluster does not serve the type.
Task<std::vector<Json>> in_namespaces(kube::ClientPtr cluster, kube::ResourceType type, api::MigPlan plan) {
  std::vector<Json> out;
  const auto discovery = co_await cluster->discovery();
  if (discovery->find_resource(type.group, type.plural) == nullptr) co_return out;
  for (const auto& ns : plan.namespaces) {
    for (auto& object : co_await kube::list_all(*cluster, type, ns.source)) out.push_back(std::move(object));
  }
  co_return out;
}

std::vector<std::string> names_of(const std::vector<Json>& objects) {
  std::vector<std::string> names;
  names.reserve(objects.size());
  for (const auto& object : objects) names.push_back(kube::key_of(object).str());
  return names;
}

}  // namespace

Task<void> check_content(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  const auto source = world->source_client;
  const auto images = co_await in_namespaces(source, kube::types::image_streams(), plan);
  if (!images.empty()) {
    conditions->set({.type = "ImageMigrationNotSupported",
                     .category = kCritical,
                     .reason = "NotSupported",
                     .message = "This release does not copy internal images, and the namespaces hold ImageStreams []: "
                                "the plan is refused instead of losing them.",
                     .items = names_of(images)});
  }
}

Task<Json> incompatible_kinds(api::MigPlan plan, PlanWorld* world) {
  const auto source = co_await world->source_client->discovery();
  const auto destination = co_await world->destination_client->discovery();
  Json out = Json::array();
  std::map<std::string, Json> by_namespace;
  for (const auto& entry : source->entries()) {
    if (!entry.preferred || !entry.type.namespaced || !entry.can("list") || !entry.can("create")) continue;
    if (destination->find_resource(entry.type.group, entry.type.plural) != nullptr) continue;
    // A custom resource brings its definition along.
    const auto definition = co_await world->source_client->get(kube::types::custom_resource_definitions(),
                                                               {"", entry.type.group_resource()});
    if (definition) continue;
    for (const auto& ns : plan.namespaces) {
      const kube::ListOptions one{.limit = 1};
      const auto page = co_await world->source_client->list(entry.type, ns.source, one);
      if (page.items.empty()) continue;
      by_namespace[ns.source].push_back(
          {{"group", entry.type.group}, {"version", entry.type.version}, {"kind", entry.type.plural}});
    }
  }
  for (const auto& [name, kinds] : by_namespace) out.push_back({{"name", name}, {"gvks", kinds}});
  co_return out;
}

}  // namespace mtc::plan
