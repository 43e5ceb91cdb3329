#include <algorithm>

#include "sandbox/testing/helpers.hpp"

// What the server says of itself.
namespace mtc::sandbox::testing {
namespace {

Task<void> names(Server s) {
  const auto discovery = co_await s.client->discovery(kube::Client::Refresh::kYes);
  for (const auto* name : {"pods", "po", "deploy", "deployments.apps", "Service", "crd", "cronjob"})
    EXPECT_NE(discovery->find_name(name), nullptr) << name;
  EXPECT_EQ(discovery->find_name("frobs"), nullptr);
  EXPECT_FALSE(discovery->find_name("namespaces")->type.namespaced);
}

Task<void> aggregated(Server s) {
  const auto answer = co_await send(
      s, "GET", "/apis", {{"Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}});
  const auto list = parse_json(answer.body);
  EXPECT_EQ(string_at(list, "kind"), "APIGroupDiscoveryList");
  EXPECT_TRUE(answer.headers.get("Content-Type").contains("as=APIGroupDiscoveryList"));
  const auto& items = array_at(list, "items");
  const auto apps =
      std::ranges::find_if(items, [](const Json& group) { return string_at(group, "metadata.name") == "apps"; });
  if (apps == items.end()) throw Error(Code::kInternal, "no group apps");
  const auto resources = dump((*apps)["versions"][0]["resources"]);
  EXPECT_TRUE(resources.contains("\"subresource\":\"scale\"")) << resources;
}

Task<void> group_lists(Server s) {
  const auto list = co_await s.client->raw("GET", "/apis");
  EXPECT_EQ(string_at(list, "kind"), "APIGroupList");
  const auto group = co_await s.client->raw("GET", "/apis/apps");
  EXPECT_EQ(string_at(group, "kind"), "APIGroup");
  EXPECT_EQ(string_at(group, "preferredVersion.groupVersion"), "apps/v1");
}

Task<void> resource_lists(Server s) {
  const auto list = co_await s.client->raw("GET", "/apis/apps/v1");
  EXPECT_EQ(string_at(list, "groupVersion"), "apps/v1");
  const auto& resources = array_at(list, "resources");
  const auto has = [&](const char* name) {
    return std::ranges::any_of(resources, [&](const Json& one) { return string_at(one, "name") == name; });
  };
  for (const auto* name : {"deployments", "deployments/scale", "deployments/status", "statefulsets"})
    EXPECT_TRUE(has(name)) << name;
}

Task<void> categories(Server s) {
  const auto list = co_await s.client->raw("GET", "/api/v1");
  for (const auto& one : array_at(list, "resources")) {
    if (string_at(one, "name") == "pods") EXPECT_EQ(strings_at(one, "categories"), std::vector<std::string>{"all"});
    if (string_at(one, "name") == "pods") EXPECT_EQ(strings_at(one, "shortNames"), std::vector<std::string>{"po"});
  }
}

Task<void> version(Server s) {
  const auto version = co_await s.client->version();
  EXPECT_EQ(version.major, 1);
  EXPECT_EQ(version.minor, 34);
}

Task<void> health(Server s) {
  for (const auto* path : {"/healthz", "/livez", "/readyz"}) {
    const auto answer = co_await send(s, "GET", path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body, "ok") << path;
  }
}

Task<void> openapi(Server s) {
  const auto paths = co_await s.client->raw("GET", "/openapi/v3");
  const auto* apps = member(object_at(paths, "paths"), "apis/apps/v1");
  if (apps == nullptr) throw Error(Code::kInternal, "no document of apps/v1");
  const auto document = co_await s.client->raw("GET", string_at(*apps, "serverRelativeURL"));
  const auto* path = member(object_at(document, "paths"), "/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
  if (path == nullptr) throw Error(Code::kInternal, "no path of Deployments");
  EXPECT_NE(find(*path, "patch"), nullptr);
}

Task<void> openapi_of_definitions(Server s) {
  const auto type = co_await define(s, "{type: object, properties: {size: {type: integer, description: how big}}}");
  // A real server publishes a definition's document a moment later, and nothing tells when.
  for (int i = 0; i < 200; ++i) {
    const auto answer = co_await send(s, "GET", "/openapi/v3/apis/" + type.api_version());
    if (answer.status == 200 && answer.body.contains("how big")) co_return;
    co_await async::sleep_for(std::chrono::milliseconds(50));
  }
  throw Error(Code::kTimeout, "the schema is not published");
}

Task<void> unknown_paths(Server s) {
  EXPECT_EQ((co_await send(s, "GET", "/no/such/path")).status, 404);
  EXPECT_EQ((co_await send(s, "GET", "/apis/none.example.com/v1")).status, 404);
  EXPECT_EQ((co_await send(s, "GET", "/api/v1/namespaces/" + s.ns + "/frobs")).status, 404);
}

Task<void> unknown_methods(Server s) {
  EXPECT_EQ((co_await send(s, "POST", path_of(s, types::config_maps()) + "/a", {}, "{}")).status, 405);
}

Task<void> unknown_subresources(Server s) {
  co_await make_map(s, "a");
  EXPECT_EQ((co_await send(s, "GET", path_of(s, types::config_maps()) + "/a/status")).status, 404);
}

Task<void> statuses(Server s) {
  const auto answer = co_await send(s, "GET", path_of(s, types::config_maps()) + "/absent");
  const auto status = parse_json(answer.body);
  EXPECT_EQ(string_at(status, "kind"), "Status");
  EXPECT_EQ(string_at(status, "status"), "Failure");
  EXPECT_EQ(string_at(status, "reason"), "NotFound");
  EXPECT_EQ(string_at(status, "message"), "configmaps \"absent\" not found");
  EXPECT_EQ(string_at(status, "details.name"), "absent");
  EXPECT_EQ(string_at(status, "details.kind"), "configmaps");
  EXPECT_EQ(int_at(status, "code"), 404);
}

Task<void> tables(Server s) {
  co_await make_map(s, "a", {{"k", "v"}});
  const auto answer = co_await send(s, "GET", path_of(s, types::config_maps()) + "/a",
                                    {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"}});
  const auto table = parse_json(answer.body);
  EXPECT_EQ(string_at(table, "kind"), "Table");
  std::vector<std::string> columns;
  for (const auto& column : array_at(table, "columnDefinitions")) columns.push_back(string_at(column, "name"));
  EXPECT_EQ(columns, (std::vector<std::string>{"Name", "Data", "Age"}));
  EXPECT_EQ(int_at(array_at(array_at(table, "rows")[0], "cells")[1], ""), 1);
}

}  // namespace

Cases discovery_cases() {
  return {{"DiscoversKindsByAnyName", names},
          {"AggregatesDiscovery", aggregated},
          {"ListsGroups", group_lists},
          {"ListsKindsOfAGroup", resource_lists},
          {"PutsKindsIntoCategories", categories},
          {"TellsItsVersion", version},
          {"TellsItsHealth", health},
          {"PublishesSchemas", openapi},
          {"PublishesSchemasOfDefinitions", openapi_of_definitions},
          {"SaysNotFoundForUnknownPaths", unknown_paths},
          {"RefusesUnknownMethods", unknown_methods},
          {"SaysNotFoundForUnknownSubresources", unknown_subresources},
          {"AnswersWithAStatus", statuses},
          {"ShowsTables", tables}};
}

}  // namespace mtc::sandbox::testing
