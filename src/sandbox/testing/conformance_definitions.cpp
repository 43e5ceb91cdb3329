#include "sandbox/testing/helpers.hpp"

// Custom resources as a kind: versions, subresources, columns, the life of a definition.
namespace mtc::sandbox::testing {
namespace {

constexpr auto kAny = "{type: object, x-kubernetes-preserve-unknown-fields: true}";

std::string definition_name(const Server& s) { return "widgets." + widget_type(s.ns).group; }

Task<void> serves(Server s) {
  const auto type = co_await define(s, kAny);
  const auto made = co_await make_widget(s, "w", "{size: 3}");
  EXPECT_EQ(int_at(made, "metadata.generation"), 1);
  EXPECT_EQ(string_at(made, "apiVersion"), type.api_version());
  EXPECT_EQ(string_at(made, "kind"), "Widget");
  const auto list = co_await s.client->raw("GET", path_of(s, type));
  EXPECT_EQ(string_at(list, "kind"), "WidgetList");
  EXPECT_EQ(array_at(list, "items").size(), 1u);
  const auto patched =
      co_await s.client->patch(type, {s.ns, "w"}, PatchKind::kMerge, parse_yaml_one("{spec: {size: 4}}"));
  EXPECT_EQ(int_at(patched, "metadata.generation"), 2);
  EXPECT_TRUE(co_await s.client->remove(type, {s.ns, "w"}));
}

Task<void> no_strategic_patches(Server s) {
  const auto type = co_await define(s, kAny);
  co_await make_widget(s, "w", "{}");
  EXPECT_EQ(
      co_await code_of(s.client->patch(type, {s.ns, "w"}, PatchKind::kStrategic, parse_yaml_one("{spec: {size: 5}}"))),
      Code::kInvalid);
}

Task<void> updates_need_a_version(Server s) {
  const auto type = co_await define(s, kAny);
  auto made = co_await make_widget(s, "w", "{}");
  made["metadata"].erase("resourceVersion");
  EXPECT_EQ(co_await code_of(s.client->update(type, made)), Code::kInvalid);
}

Json version_of(const char* name, const char* spec_schema, const char* more) {
  auto out = parse_yaml_one(more);
  out["name"] = name;
  out["schema"]["openAPIV3Schema"] = {{"type", "object"}, {"properties", {{"spec", parse_yaml_one(spec_schema)}}}};
  return out;
}

Task<void> versions(Server s) {
  auto type = co_await define_versions(
      s, Json::array({version_of("v1", "{type: object, properties: {a: {type: string}, b: {type: string}}}",
                                 "{served: true, storage: true}"),
                      version_of("v1beta1", "{type: object, properties: {a: {type: string}}}",
                                 "{served: true, storage: false}")}));
  co_await make_widget(s, "w", "{a: x, b: z}");
  type.version = "v1beta1";
  const auto other = co_await kube::must_get(*s.client, type, {s.ns, "w"});
  EXPECT_EQ(string_at(other, "apiVersion"), type.api_version());
  EXPECT_EQ(dump(other["spec"]), R"({"a":"x"})");
  const auto discovery = co_await s.client->discovery(kube::Client::Refresh::kYes);
  const auto* entry = discovery->find_kind(type.group, "Widget");
  if (entry == nullptr) throw Error(Code::kInternal, "the kind is not discovered");
  EXPECT_EQ(entry->type.version, "v1");
}

Task<void> versions_that_are_not_served(Server s) {
  auto type = co_await define_versions(s, Json::array({version_of("v1", kAny, "{served: true, storage: true}"),
                                                       version_of("v2", kAny, "{served: false, storage: false}")}));
  type.version = "v2";
  EXPECT_EQ(co_await code_of(s.client->list(type, s.ns, {})), Code::kNotFound);
}

Task<void> status(Server s) {
  const auto type = co_await define(s, kAny, "{subresources: {status: {}}}");
  auto object = widget(s, "w", "{size: 1}");
  object["status"] = {{"ready", true}};
  const auto made = co_await s.client->create(type, object);
  EXPECT_FALSE(made.contains("status"));
  auto changed = made;
  changed["status"] = {{"ready", true}};
  changed["spec"]["size"] = 2;
  const auto stored = co_await s.client->update(type, changed, {.subresource = "status"});
  EXPECT_TRUE(bool_at(stored, "status.ready"));
  EXPECT_EQ(int_at(stored, "spec.size"), 1);
  EXPECT_EQ(int_at(stored, "metadata.generation"), 1);
  changed = stored;
  changed["status"] = {{"ready", false}};
  changed["spec"]["size"] = 3;
  const auto again = co_await s.client->update(type, changed);
  EXPECT_TRUE(bool_at(again, "status.ready"));
  EXPECT_EQ(int_at(again, "metadata.generation"), 2);
}

Task<void> status_without_a_subresource(Server s) {
  const auto type = co_await define(s, kAny);
  auto object = widget(s, "w", "{}");
  object["status"] = {{"ready", true}};
  const auto made = co_await s.client->create(type, object);
  EXPECT_TRUE(bool_at(made, "status.ready"));
  EXPECT_EQ(co_await code_of(s.client->update(type, made, {.subresource = "status"})), Code::kNotFound);
}

Task<void> scale(Server s) {
  const auto type = co_await define(s, kAny,
                                    "{subresources: {status: {}, scale: {specReplicasPath: .spec.count, "
                                    "statusReplicasPath: .status.count, labelSelectorPath: .status.selector}}}");
  auto made = co_await make_widget(s, "w", "{count: 3}");
  made["status"] = {{"count", 2}, {"selector", "app=w"}};
  co_await s.client->update(type, made, {.subresource = "status"});
  auto scale = co_await s.client->raw("GET", path_of(s, type) + "/w/scale");
  EXPECT_EQ(string_at(scale, "kind"), "Scale");
  EXPECT_EQ(int_at(scale, "spec.replicas"), 3);
  EXPECT_EQ(int_at(scale, "status.replicas"), 2);
  EXPECT_EQ(string_at(scale, "status.selector"), "app=w");
  scale["spec"]["replicas"] = 5;
  co_await s.client->raw("PUT", path_of(s, type) + "/w/scale", scale);
  EXPECT_EQ(int_at(co_await kube::must_get(*s.client, type, {s.ns, "w"}), "spec.count"), 5);
}

Task<Json> table(Server s, kube::ResourceType type) {
  const auto answer =
      co_await send(s, "GET", path_of(s, type), {{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"}});
  co_return parse_json(answer.body);
}

Task<void> columns(Server s) {
  const auto type = co_await define(s, kAny,
                                    "{additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}, "
                                    "{name: Colour, type: string, jsonPath: .spec.colour, priority: 1}]}");
  co_await make_widget(s, "w", "{size: 3}");
  const auto shown = co_await table(s, type);
  EXPECT_EQ(string_at(shown, "kind"), "Table");
  const auto& definitions = array_at(shown, "columnDefinitions");
  EXPECT_EQ(definitions.size(), 3u);
  EXPECT_EQ(string_at(definitions[0], "name"), "Name");
  EXPECT_EQ(string_at(definitions[1], "name"), "Size");
  EXPECT_EQ(int_at(definitions[2], "priority"), 1);
  const auto& row = array_at(shown, "rows")[0];
  EXPECT_EQ(dump(row["cells"]), R"(["w",3,null])");
  EXPECT_EQ(string_at(row, "object.kind"), "PartialObjectMetadata");
  EXPECT_EQ(string_at(row, "object.metadata.name"), "w");
}

Task<void> dates_in_columns(Server s) {
  const auto type = co_await define(
      s, kAny, "{additionalPrinterColumns: [{name: Made, type: date, jsonPath: .metadata.creationTimestamp}]}");
  co_await make_widget(s, "w", "{}");
  const auto cell = string_at(array_at(array_at(co_await table(s, type), "rows")[0], "cells")[1], "");
  EXPECT_TRUE(cell.ends_with("s")) << cell;
}

Task<void> columns_by_default(Server s) {
  const auto type = co_await define(s, kAny);
  const auto shown = co_await table(s, type);
  const auto& definitions = array_at(shown, "columnDefinitions");
  EXPECT_EQ(definitions.size(), 2u);
  EXPECT_EQ(string_at(definitions[0], "name"), "Name");
  EXPECT_EQ(string_at(definitions[1], "name"), "Age");
  EXPECT_EQ(array_at(shown, "rows").size(), 0u);
}

Task<void> metadata_alone(Server s) {
  const auto type = co_await define(s, kAny);
  co_await make_widget(s, "w", "{size: 1}");
  const auto answer = co_await send(s, "GET", path_of(s, type),
                                    {{"Accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}});
  const auto list = parse_json(answer.body);
  EXPECT_EQ(string_at(list, "kind"), "PartialObjectMetadataList");
  EXPECT_EQ(string_at(array_at(list, "items")[0], "metadata.name"), "w");
  EXPECT_FALSE(array_at(list, "items")[0].contains("spec"));
}

Task<void> names(Server s) {
  co_await define(s, kAny);
  const auto discovery = co_await s.client->discovery(kube::Client::Refresh::kYes);
  const auto group = widget_type(s.ns).group;
  for (const auto& name : {"widgets." + group, "widget." + group, "wd." + group})
    EXPECT_NE(discovery->find_name(name), nullptr) << name;
}

Task<void> cluster_wide(Server s) {
  const auto type =
      co_await define_versions(s, Json::array({version_of("v1", kAny, "{served: true, storage: true}")}), "Cluster");
  Json object = {{"apiVersion", type.api_version()}, {"kind", "Widget"}, {"metadata", {{"name", "w"}}}};
  EXPECT_EQ(find(co_await s.client->create(type, object), "metadata.namespace"), nullptr);
  EXPECT_EQ((co_await s.client->list(type, "", {})).items.size(), 1u);
}

Task<void> selectable_fields(Server s) {
  const auto type = co_await define(s, "{type: object, properties: {colour: {type: string}, size: {type: integer}}}",
                                    "{selectableFields: [{jsonPath: .spec.colour}]}");
  co_await make_widget(s, "r", "{colour: red}");
  co_await make_widget(s, "b", "{colour: blue}");
  const kube::ListOptions blue{.field_selector = "spec.colour=blue"}, sized{.field_selector = "spec.size=1"};
  EXPECT_EQ(names_of((co_await s.client->list(type, s.ns, blue)).items), std::vector<std::string>{"b"});
  EXPECT_EQ(co_await code_of(s.client->list(type, s.ns, sized)), Code::kInvalid);
}

Task<void> removal(Server s) {
  const auto type = co_await define(s, kAny);
  co_await make_widget(s, "w", "{}");
  co_await s.client->remove(types::custom_resource_definitions(), {"", definition_name(s)});
  co_await until(s, types::custom_resource_definitions(), definition_name(s),
                 [](const auto& object) { return !object; });
  co_await define(s, kAny);
  EXPECT_TRUE((co_await s.client->list(type, s.ns, {})).items.empty());
}

Task<void> removal_waits(Server s) {
  const auto type = co_await define(s, kAny);
  auto object = widget(s, "w", "{}");
  object["metadata"]["finalizers"] = {"example.com/hold"};
  co_await s.client->create(type, object);
  co_await s.client->remove(types::custom_resource_definitions(), {"", definition_name(s)});
  co_await until(s, type, "w",
                 [](const auto& one) { return one && !string_at(*one, "metadata.deletionTimestamp").empty(); });
  EXPECT_TRUE(co_await s.client->get(types::custom_resource_definitions(), {"", definition_name(s)}));
  co_await s.client->patch(type, {s.ns, "w"}, PatchKind::kMerge, parse_yaml_one("{metadata: {finalizers: null}}"));
  co_await until(s, types::custom_resource_definitions(), definition_name(s), [](const auto& one) { return !one; });
}

Task<void> new_defaults(Server s) {
  const auto type = co_await define(s, "{type: object, properties: {a: {type: string}}}");
  co_await make_widget(s, "w", "{}");
  const auto change = parse_yaml_one(
      "[{op: add, path: /spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/a/default, value: x}]");
  co_await s.client->patch(types::custom_resource_definitions(), {"", definition_name(s)}, PatchKind::kJson, change);
  std::string seen;
  // A real server takes the new schema a moment later, and nothing tells when.
  for (int i = 0; i < 200 && seen.empty(); ++i) {
    seen = string_at(co_await kube::must_get(*s.client, type, {s.ns, "w"}), "spec.a");
    if (seen.empty()) co_await async::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(seen, "x");
}

Task<void> bad_definitions(Server s) {
  const auto base = parse_yaml_one(
      "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, "
      "spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}, versions: [{name: v1, "
      "served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}");
  auto refused = [](Server server, Json definition) -> Task<bool> {
    const kube::WriteOptions dry{.dry_run = kube::DryRun::kYes};
    co_return co_await code_of(server.client->create(types::custom_resource_definitions(), definition, dry)) ==
        Code::kInvalid;
  };
  EXPECT_FALSE(co_await refused(s, base));
  auto bad = base;
  bad["metadata"]["name"] = "other.example.com";
  EXPECT_TRUE(co_await refused(s, bad));
  bad = base;
  bad["spec"]["versions"][0]["storage"] = false;
  EXPECT_TRUE(co_await refused(s, bad));
  bad = base;
  bad["spec"]["versions"][0].erase("schema");
  EXPECT_TRUE(co_await refused(s, bad));
  bad = base;
  bad["spec"]["scope"] = "Galactic";
  EXPECT_TRUE(co_await refused(s, bad));
  bad = base;
  bad["spec"]["versions"].push_back(bad["spec"]["versions"][0]);
  EXPECT_TRUE(co_await refused(s, bad));
}

Task<void> conditions(Server s) {
  co_await define(s, kAny);
  const auto definition =
      co_await kube::must_get(*s.client, types::custom_resource_definitions(), {"", definition_name(s)});
  EXPECT_EQ(strings_at(definition, "status.storedVersions"), std::vector<std::string>{"v1"});
  EXPECT_EQ(string_at(definition, "status.acceptedNames.plural"), "widgets");
  EXPECT_EQ(string_at(definition, "spec.conversion.strategy"), "None");
}

}  // namespace

Cases definition_cases() {
  return {{"ServesCustomResources", serves},
          {"TakesNoStrategicPatchesOfCustomResources", no_strategic_patches},
          {"NeedsVersionsInUpdatesOfCustomResources", updates_need_a_version},
          {"ServesSeveralVersions", versions},
          {"ServesOnlyServedVersions", versions_that_are_not_served},
          {"KeepsCustomStatusApart", status},
          {"TakesStatusWithoutASubresource", status_without_a_subresource},
          {"ScalesCustomResources", scale},
          {"ShowsColumns", columns},
          {"ShowsDatesAsAges", dates_in_columns},
          {"ShowsNameAndAgeByDefault", columns_by_default},
          {"ShowsMetadataAlone", metadata_alone},
          {"DiscoversCustomNames", names},
          {"ServesClusterWideCustomResources", cluster_wide},
          {"SelectsByDeclaredFields", selectable_fields},
          {"RemovesCustomResourcesWithTheirDefinition", removal},
          {"HoldsDefinitionsForTheirObjects", removal_waits},
          {"ShowsNewDefaultsInOldObjects", new_defaults},
          {"RefusesBadDefinitions", bad_definitions},
          {"EstablishesDefinitions", conditions}};
}

}  // namespace mtc::sandbox::testing
