#include "sandbox/testing/helpers.hpp"

// Server-side apply in lists, sets, atoms and defaults, of kinds that are built in and of those that are defined.
namespace mtc::sandbox::testing {
namespace {

Task<Json> apply(Server s, kube::ResourceType type, std::string manager, Json object, std::string subresource = "") {
  object["apiVersion"] = type.api_version();
  object["kind"] = type.kind;
  const auto name = string_at(object, "metadata.name");
  co_return co_await s.client->patch(type, {s.ns, name}, PatchKind::kApply, object,
                                     {.field_manager = manager, .subresource = subresource});
}

/// Applies Deployment "d" with these containers (flow YAML).
Task<Json> apply_containers(Server s, std::string manager, std::string containers) {
  auto object = parse_yaml_one(
      "{metadata: {name: d}, spec: {replicas: 0, selector: {matchLabels: {app: x}}, template: {metadata: {labels: "
      "{app: x}}, spec: {}}}}");
  object["spec"]["template"]["spec"]["containers"] = parse_yaml_one(containers);
  const auto after = co_await apply(s, types::deployments(), manager, object);
  co_return object_at(after, "spec.template.spec");
}

std::vector<std::string> in_order(const Json& list) {
  std::vector<std::string> out;
  for (const auto& element : list) out.push_back(string_at(element, "name"));
  return out;
}

constexpr auto kA = "{name: a, image: 'lab.mtc/pause:1'}";
constexpr auto kB = "{name: b, image: 'lab.mtc/pause:1'}";

std::string list_of(const std::vector<std::string>& elements) {
  std::string out = "[";
  for (const auto& element : elements) out += (out.size() > 1 ? ", " : "") + element;
  return out + "]";
}

Task<void> containers_by_name(Server s) {
  co_await apply_containers(s, "alice", list_of({kA}));
  const auto spec = co_await apply_containers(s, "bob", list_of({kB}));
  EXPECT_EQ(array_at(spec, "containers").size(), 2u);
}

Task<void> removes_own_containers(Server s) {
  co_await apply_containers(s, "alice", list_of({kA, kB}));
  const auto spec = co_await apply_containers(s, "alice", list_of({kB}));
  EXPECT_EQ(in_order(array_at(spec, "containers")), std::vector<std::string>{"b"});
}

Task<void> orders_as_applied(Server s) {
  co_await apply_containers(s, "alice", list_of({kA, kB}));
  const auto spec = co_await apply_containers(s, "alice", list_of({kB, kA}));
  EXPECT_EQ(in_order(array_at(spec, "containers")), (std::vector<std::string>{"b", "a"}));
}

Task<void> fields_of_elements(Server s) {
  co_await apply_containers(s, "alice", list_of({"{name: a, image: 'lab.mtc/pause:1', env: [{name: X, value: '1'}]}"}));
  const auto spec = co_await apply_containers(s, "alice", list_of({kA}));
  EXPECT_EQ(find(array_at(spec, "containers")[0], "env"), nullptr);
}

Task<void> conflicts_name_elements(Server s) {
  co_await apply_containers(s, "alice", list_of({kA}));
  const auto failure = co_await failure_of(apply_containers(s, "bob", "[{name: a, image: 'lab.mtc/pause:2'}]"));
  if (!failure) throw Error(Code::kInternal, "no conflict");
  EXPECT_TRUE(failure->message().ends_with(".spec.template.spec.containers[name=\"a\"].image")) << failure->message();
}

Task<void> ports_by_two_keys(Server s) {
  const auto with_ports = [](const char* ports) {
    return list_of({std::string("{name: a, image: 'lab.mtc/pause:1', ports: ") + ports + "}"});
  };
  co_await apply_containers(s, "alice", with_ports("[{containerPort: 53, protocol: TCP}]"));
  const auto spec = co_await apply_containers(s, "bob", with_ports("[{containerPort: 53, protocol: UDP}]"));
  EXPECT_EQ(array_at(array_at(spec, "containers")[0], "ports").size(), 2u);
}

Task<void> finalizers_are_a_set(Server s) {
  const auto with = [](const char* finalizers) {
    return parse_yaml_one(std::string("{metadata: {name: a, finalizers: ") + finalizers + "}}");
  };
  co_await apply(s, types::config_maps(), "alice", with("[example.com/a]"));
  co_await apply(s, types::config_maps(), "bob", with("[example.com/b]"));
  const auto after = co_await apply(s, types::config_maps(), "alice", with("[example.com/c]"));
  auto names = strings_at(after, "metadata.finalizers");
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"example.com/b", "example.com/c"}));
  co_await patch_map(s, "a", PatchKind::kMerge, "{metadata: {finalizers: null}}");
}

Task<void> defaults_come_back(Server s) {
  const auto with = [](const char* spec) {
    auto object = parse_yaml_one(std::string("{metadata: {name: d}, spec: ") + spec + "}");
    object["spec"].update(parse_yaml_one(
        "{selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}, spec: {nodeSelector: {no: "
        "node}, containers: [{name: a, image: 'lab.mtc/pause:1'}]}}}"));
    return object;
  };
  co_await apply(s, types::deployments(), "alice", with("{replicas: 0}"));
  EXPECT_EQ(int_at(co_await apply(s, types::deployments(), "alice", with("{}")), "spec.replicas"), 1);
}

Task<void> fields_left_to_others(Server s) {
  auto object = parse_yaml_one(
      "{metadata: {name: d}, spec: {replicas: 0, selector: {matchLabels: {app: x}}, template: {metadata: {labels: "
      "{app: x}}, spec: {nodeSelector: {no: node}, containers: [{name: a, image: 'lab.mtc/pause:1'}]}}}}");
  co_await apply(s, types::deployments(), "alice", object);
  co_await s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
                           parse_yaml_one("{spec: {replicas: 2}}"), {.field_manager = "autoscaler"});
  object["spec"].erase("replicas");
  EXPECT_EQ(int_at(co_await apply(s, types::deployments(), "alice", object), "spec.replicas"), 2);
}

Task<void> status_is_applied_apart(Server s) {
  co_await define(s, "{type: object, x-kubernetes-preserve-unknown-fields: true}", "{subresources: {status: {}}}");
  co_await make_widget(s, "w", "{size: 1}");
  const auto after =
      co_await apply(s, widget_type(s.ns), "alice",
                     parse_yaml_one("{metadata: {name: w}, spec: {size: 2}, status: {ready: true}}"), "status");
  EXPECT_TRUE(bool_at(after, "status.ready"));
  EXPECT_EQ(int_at(after, "spec.size"), 1);
  bool noted = false;
  for (const auto& entry : array_at(after, "metadata.managedFields"))
    noted = noted || (string_at(entry, "manager") == "alice" && string_at(entry, "subresource") == "status");
  EXPECT_TRUE(noted);
}

constexpr auto kLists =
    "{type: object, properties: {parts: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [id, "
    "side], items: {type: object, required: [id], properties: {id: {type: string}, side: {type: string, default: "
    "left}, "
    "note: {type: string}, extra: {type: string}}}}, tags: {type: array, x-kubernetes-list-type: set, items: {type: "
    "string}}, lines: {type: array, items: {type: string}}, box: {type: object, x-kubernetes-map-type: atomic, "
    "properties: {a: {type: integer}, b: {type: integer}}}}}";

Task<Json> apply_widget(Server s, std::string manager, std::string spec) {
  const auto after = co_await apply(s, widget_type(s.ns), manager, widget(s, "w", spec));
  co_return object_at(after, "spec");
}

Task<void> custom_list_maps(Server s) {
  co_await define(s, kLists);
  co_await apply_widget(s, "alice", "{parts: [{id: x, note: one}]}");
  auto spec = co_await apply_widget(s, "bob", "{parts: [{id: x, side: left, extra: two}, {id: x, side: right}]}");
  EXPECT_EQ(array_at(spec, "parts").size(), 2u);
  EXPECT_EQ(string_at(array_at(spec, "parts")[0], "note"), "one");
  EXPECT_EQ(string_at(array_at(spec, "parts")[0], "extra"), "two");
  spec = co_await apply_widget(s, "bob", "{parts: [{id: x, side: right}]}");
  EXPECT_EQ(find(array_at(spec, "parts")[0], "extra"), nullptr);
  EXPECT_EQ(array_at(spec, "parts").size(), 2u);
}

Task<void> custom_sets(Server s) {
  co_await define(s, kLists);
  co_await apply_widget(s, "alice", "{tags: [one]}");
  co_await apply_widget(s, "bob", "{tags: [two]}");
  EXPECT_EQ(dump((co_await apply_widget(s, "alice", "{tags: [three]}"))["tags"]), R"(["two","three"])");
}

Task<void> custom_atomic_lists(Server s) {
  co_await define(s, kLists);
  co_await apply_widget(s, "alice", "{lines: [one]}");
  EXPECT_EQ(co_await code_of(apply_widget(s, "bob", "{lines: [two]}")), Code::kConflict);
}

Task<void> custom_atomic_maps(Server s) {
  co_await define(s, kLists);
  co_await apply_widget(s, "alice", "{box: {a: 1}}");
  const auto failure = co_await failure_of(apply_widget(s, "bob", "{box: {b: 2}}"));
  if (!failure) throw Error(Code::kInternal, "no conflict");
  EXPECT_TRUE(failure->message().ends_with(": .spec.box")) << failure->message();
}

Task<void> custom_keys_are_needed(Server s) {
  co_await define(s, kLists);
  EXPECT_EQ(co_await code_of(apply_widget(s, "alice", "{parts: [{note: one}]}")), Code::kInvalid);
}

}  // namespace

Cases apply_type_cases() {
  return {{"AppliesContainersByName", containers_by_name},
          {"RemovesContainersThatAreAppliedNoMore", removes_own_containers},
          {"OrdersElementsAsApplied", orders_as_applied},
          {"RemovesFieldsOfElements", fields_of_elements},
          {"NamesElementsInConflicts", conflicts_name_elements},
          {"AppliesPortsByTwoKeys", ports_by_two_keys},
          {"AppliesSetsOfFinalizers", finalizers_are_a_set},
          {"GivesDefaultsBackWhenAppliedNoMore", defaults_come_back},
          {"LeavesFieldsToOthers", fields_left_to_others},
          {"AppliesTheStatusApart", status_is_applied_apart},
          {"AppliesCustomListsByKeys", custom_list_maps},
          {"AppliesCustomSets", custom_sets},
          {"AppliesCustomListsWhole", custom_atomic_lists},
          {"AppliesCustomMapsWhole", custom_atomic_maps},
          {"NeedsKeysOfCustomLists", custom_keys_are_needed}};
}

}  // namespace mtc::sandbox::testing
