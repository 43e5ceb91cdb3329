#include "sandbox/testing/helpers.hpp"

// What every object has and keeps.
namespace mtc::sandbox::testing {
namespace {

Task<void> identity(Server s) {
  const auto made = co_await make_map(s, "a", {{"k", "v"}});
  EXPECT_NE(kube::uid_of(made), "");
  EXPECT_NE(kube::resource_version_of(made), "");
  EXPECT_NE(string_at(made, "metadata.creationTimestamp"), "");
  EXPECT_EQ(string_at(made, "apiVersion"), "v1");
  EXPECT_EQ(string_at(made, "kind"), "ConfigMap");
}

Task<void> create_twice(Server s) {
  co_await make_map(s, "a");
  EXPECT_EQ(co_await code_of(make_map(s, "a")), Code::kAlreadyExists);
}

Task<void> generated_names(Server s) {
  auto object = config_map(s, "");
  object["metadata"].erase("name");
  object["metadata"]["generateName"] = "gen-";
  const auto one = co_await s.client->create(types::config_maps(), object);
  const auto two = co_await s.client->create(types::config_maps(), object);
  EXPECT_TRUE(kube::key_of(one).name.starts_with("gen-"));
  EXPECT_EQ(kube::key_of(one).name.size(), 9u);
  EXPECT_EQ(string_at(one, "metadata.generateName"), "gen-");
  EXPECT_NE(kube::key_of(one).name, kube::key_of(two).name);
}

Task<void> given_names_win(Server s) {
  auto object = config_map(s, "mine");
  object["metadata"]["generateName"] = "gen-";
  EXPECT_EQ(kube::key_of(co_await s.client->create(types::config_maps(), object)).name, "mine");
}

Task<void> names_are_needed(Server s) {
  const Json nameless = {{"metadata", {{"namespace", s.ns}}}};
  EXPECT_EQ(co_await code_of(s.client->create(types::config_maps(), nameless)), Code::kInvalid);
}

Task<void> names_are_checked(Server s) {
  for (const auto* name : {"Upper", "under_score", "-a", "a-", "a b", "a..b"})
    EXPECT_EQ(co_await code_of(make_map(s, name)), Code::kInvalid) << name;
}

Task<void> names_have_dots(Server s) {
  EXPECT_EQ(co_await code_of(make_map(s, "a.b.c")), std::nullopt);
  auto service = named(s, "a.b", "{spec: {ports: [{port: 80}]}}");
  EXPECT_EQ(co_await code_of(s.client->create(types::services(), service)), Code::kInvalid);
}

Task<void> labels_are_checked(Server s) {
  for (const auto& [key, value] : {std::pair{"a", "with space"}, {"a", "-dash"}, {"a/b/c", "v"}, {"_x", "v"}})
    EXPECT_EQ(co_await code_of(s.client->create(types::config_maps(), labelled(config_map(s, "a"), key, value))),
              Code::kInvalid)
        << key << "=" << value;
  for (const auto& [key, value] : {std::pair{"a", ""}, {"example.com/a", "v-1_2.3"}})
    EXPECT_EQ(co_await code_of(s.client->create(types::config_maps(),
                                                labelled(config_map(s, std::string("ok") + key[0]), key, value))),
              std::nullopt)
        << key << "=" << value;
}

Task<void> finalizers_are_checked(Server s) {
  auto object = config_map(s, "a");
  object["metadata"]["finalizers"] = {"unqualified"};
  EXPECT_EQ(co_await code_of(s.client->create(types::config_maps(), object)), Code::kInvalid);
}

Task<void> keys_are_checked(Server s) {
  EXPECT_EQ(co_await code_of(make_map(s, "a", {{"not a key", "v"}})), Code::kInvalid);
  EXPECT_EQ(co_await code_of(make_map(s, "b", {{"a.key-that_is", "v"}})), std::nullopt);
}

Task<void> values_are_checked(Server s) { EXPECT_EQ(co_await code_of(make_map(s, "a", {{"k", 1}})), Code::kInvalid); }

Task<void> absent_namespace(Server s) {
  s.ns += "-absent";
  EXPECT_EQ(co_await code_of(make_map(s, "a")), Code::kNotFound);
}

Task<void> absent_objects(Server s) {
  EXPECT_EQ(co_await s.client->get(types::config_maps(), {s.ns, "absent"}), std::nullopt);
  EXPECT_FALSE(co_await s.client->remove(types::config_maps(), {s.ns, "absent"}));
  EXPECT_EQ(co_await code_of(patch_map(s, "absent", PatchKind::kMerge, "{data: {k: v}}")), Code::kNotFound);
  EXPECT_EQ(co_await code_of(s.client->update(types::config_maps(), config_map(s, "absent"))), Code::kNotFound);
}

Task<void> unknown_kinds(Server s) {
  const kube::ResourceType none{"nothing.example.com", "v1", "nothings", "Nothing"};
  EXPECT_EQ(co_await s.client->get(none, {s.ns, "a"}), std::nullopt);
  EXPECT_EQ(co_await code_of(s.client->create(none, {{"metadata", {{"namespace", s.ns}, {"name", "a"}}}})),
            Code::kNotFound);
}

Task<void> other_kinds(Server s) {
  auto object = config_map(s, "a");
  object["kind"] = "Secret";
  EXPECT_EQ(co_await code_of(s.client->create(types::config_maps(), object)), Code::kInvalid);
}

Task<void> other_names(Server s) {
  co_await make_map(s, "a");
  EXPECT_EQ(co_await code_of(s.client->raw("PUT", path_of(s, types::config_maps()) + "/a", config_map(s, "b"))),
            Code::kInvalid);
}

Task<void> other_namespaces(Server s) {
  auto object = config_map(s, "a");
  object["metadata"]["namespace"] = "default";
  EXPECT_EQ(co_await code_of(s.client->raw("POST", path_of(s, types::config_maps()), object)), Code::kInvalid);
}

Task<void> new_objects_have_no_version(Server s) {
  auto object = config_map(s, "a");
  object["metadata"]["resourceVersion"] = "1";
  const auto answer = co_await send(s, "POST", path_of(s, types::config_maps()), {}, dump(object));
  EXPECT_EQ(answer.status, 500);  // so a real server says
  EXPECT_TRUE(answer.body.contains("resourceVersion should not be set on objects to be created")) << answer.body;
}

Task<void> malformed_bodies(Server s) {
  const auto path = path_of(s, types::config_maps());
  EXPECT_EQ((co_await send(s, "POST", path, {}, "{\"metadata\":")).status, 400);
  EXPECT_EQ((co_await send(s, "POST", path, {}, "[]")).status, 400);
}

Task<void> yaml_bodies(Server s) {
  const auto answer = co_await send(s, "POST", path_of(s, types::config_maps()), {{"Content-Type", "application/yaml"}},
                                    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(string_at(co_await read_map(s, "a"), "data.k"), "v");
}

Task<void> identity_is_immutable(Server s) {
  const auto made = co_await make_map(s, "a");
  auto changed = made;
  changed["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z";
  const auto stored = co_await s.client->update(types::config_maps(), changed);
  EXPECT_EQ(string_at(stored, "metadata.creationTimestamp"), string_at(made, "metadata.creationTimestamp"));
  EXPECT_EQ(kube::uid_of(stored), kube::uid_of(made));
}

Task<void> updates_without_a_change(Server s) {
  const auto made = co_await make_map(s, "a", {{"k", "v"}});
  const auto same = co_await s.client->update(types::config_maps(), made);
  EXPECT_EQ(kube::resource_version_of(made), kube::resource_version_of(same));
}

Task<void> updates_replace(Server s) {
  auto made = co_await make_map(s, "a", {{"old", "1"}});
  made["data"] = {{"new", "2"}};
  EXPECT_EQ(dump((co_await s.client->update(types::config_maps(), made))["data"]), R"({"new":"2"})");
}

Task<void> generations(Server s) {
  const auto made = co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  EXPECT_EQ(int_at(made, "metadata.generation"), 1);
  const auto patch = [&](const char* text) {
    return s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge, parse_yaml_one(text));
  };
  EXPECT_EQ(int_at(co_await patch("{metadata: {labels: {a: b}}}"), "metadata.generation"), 1);
  EXPECT_EQ(int_at(co_await patch("{spec: {minReadySeconds: 5}}"), "metadata.generation"), 2);
}

Task<void> no_generations(Server s) {
  EXPECT_EQ(find(co_await make_map(s, "a"), "metadata.generation"), nullptr);
  const Json secret = {{"metadata", {{"namespace", s.ns}, {"name", "a"}}}};
  EXPECT_EQ(find(co_await s.client->create(types::secrets(), secret), "metadata.generation"), nullptr);
}

Task<void> status_apart(Server s) {
  auto object = deployment(s, "d", 0);
  object["status"] = {{"replicas", 7}};
  const auto made = co_await s.client->create(types::deployments(), object);
  EXPECT_NE(int_at(made, "status.replicas").value_or(0), 7);
  const auto patch = parse_yaml_one("{spec: {minReadySeconds: 9}, status: {collisionCount: 3}}");
  const auto patched =
      co_await s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge, patch, {.subresource = "status"});
  EXPECT_EQ(int_at(patched, "status.collisionCount"), 3);
  EXPECT_NE(int_at(patched, "spec.minReadySeconds").value_or(0), 9);
}

Task<void> nulls_are_absent(Server s) {
  auto object = config_map(s, "a", {{"k", "v"}});
  object["binaryData"] = nullptr;
  object["metadata"]["annotations"] = nullptr;
  const auto made = co_await s.client->create(types::config_maps(), object);
  EXPECT_FALSE(made.contains("binaryData"));
  EXPECT_FALSE(made["metadata"].contains("annotations"));
}

Task<void> string_data(Server s) {
  const auto made = co_await s.client->create(types::secrets(), named(s, "s", "{stringData: {k: v}}"));
  EXPECT_EQ(string_at(made, "data.k"), "dg==");
  EXPECT_FALSE(made.contains("stringData"));
  EXPECT_EQ(string_at(made, "type"), "Opaque");
}

Task<void> service_addresses(Server s) {
  const auto made =
      co_await s.client->create(types::services(), named(s, "s", "{spec: {selector: {a: b}, ports: [{port: 80}]}}"));
  EXPECT_NE(string_at(made, "spec.clusterIP"), "");
  EXPECT_EQ(string_at(made, "spec.type"), "ClusterIP");
  EXPECT_EQ(int_at(array_at(made, "spec.ports")[0], "targetPort"), 80);
  EXPECT_EQ(string_at(array_at(made, "spec.ports")[0], "protocol"), "TCP");
}

Task<void> headless_services(Server s) {
  const auto made =
      co_await s.client->create(types::services(), named(s, "s", "{spec: {clusterIP: None, selector: {a: b}}}"));
  EXPECT_EQ(string_at(made, "spec.clusterIP"), "None");
}

Task<void> events_are_objects(Server s) {
  const auto& type = types::events();
  int made = 0;
  for (const auto* event : {"{involvedObject: {kind: Pod, name: p}, reason: Tested, message: hello, type: Normal}",
                            "{involvedObject: {kind: Pod, name: q}, reason: Tested, type: Warning}",
                            "{involvedObject: {kind: Pod, name: q}, reason: Other, type: Normal}"}) {
    auto object = named(s, "e." + std::to_string(++made), event);
    object["involvedObject"]["namespace"] = s.ns;
    co_await s.client->create(type, object);
  }
  const auto elsewhere = named(s, "e.4", "{involvedObject: {kind: Pod, name: q, namespace: default}, type: Normal}");
  EXPECT_EQ(co_await code_of(s.client->create(type, elsewhere)), Code::kInvalid);
  const kube::ListOptions of_q{.field_selector = "involvedObject.name=q,reason=Tested"};
  EXPECT_EQ(names_of((co_await s.client->list(type, s.ns, of_q)).items), std::vector<std::string>{"e.2"});
}

Task<void> strict_fields(Server s) {
  auto object = config_map(s, "a", {{"k", "v"}});
  object["dataa"] = Json::object();
  const auto target = path_of(s, types::config_maps());
  const auto refused = co_await send(s, "POST", target + "?fieldValidation=Strict", {}, dump(object));
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused.body.contains("unknown field \\\"dataa\\\"")) << refused.body;
  const auto warned = co_await send(s, "POST", target, {}, dump(object));
  EXPECT_EQ(warned.status, 201);
  EXPECT_EQ(warned.headers.get("Warning"), R"(299 - "unknown field \"dataa\"")");
  EXPECT_FALSE(parse_json(warned.body).contains("dataa"));
}

Task<void> wrong_types(Server s) {
  auto object = deployment(s, "d", 0);
  object["spec"]["replicas"] = "many";
  EXPECT_EQ(co_await code_of(s.client->create(types::deployments(), object)), Code::kInvalid);
  object = deployment(s, "d", 0);
  object["spec"]["template"]["spec"]["containers"] = Json::object();
  EXPECT_EQ(co_await code_of(s.client->create(types::deployments(), object)), Code::kInvalid);
}

Task<void> protobuf(Server s) {
  // k8s\0 and a runtime.Unknown of a ConfigMap with name "p" and data {"k": "v"}.
  const std::string object("\x0a\x09\x0a\x01p\x12\x00\x1a\x00\x22\x00\x12\x06\x0a\x01k\x12\x01v", 19);
  const std::string type(
      "\x0a\x0f\x0a\x02v1\x12\x09"
      "ConfigMap",
      17);
  const auto body = std::string("k8s\0", 4) + type + "\x12" + static_cast<char>(object.size()) + object;
  const auto answer = co_await send(s, "POST", path_of(s, types::config_maps()),
                                    {{"Content-Type", "application/vnd.kubernetes.protobuf"}}, body);
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(string_at(co_await read_map(s, "p"), "data.k"), "v");
}

}  // namespace

Cases object_cases() {
  return {{"GivesObjectsAnIdentity", identity},
          {"RefusesASecondObjectOfAName", create_twice},
          {"MakesNamesFromGenerateName", generated_names},
          {"PrefersGivenNames", given_names_win},
          {"NeedsNames", names_are_needed},
          {"ChecksNames", names_are_checked},
          {"ChecksNamesByKind", names_have_dots},
          {"ChecksLabels", labels_are_checked},
          {"ChecksFinalizers", finalizers_are_checked},
          {"ChecksKeysOfData", keys_are_checked},
          {"ChecksTypesOfData", values_are_checked},
          {"NeedsTheNamespace", absent_namespace},
          {"SaysNotFound", absent_objects},
          {"KnowsWhatItDoesNotServe", unknown_kinds},
          {"RefusesOtherKinds", other_kinds},
          {"RefusesOtherNamesThanTheUrls", other_names},
          {"RefusesOtherNamespacesThanTheUrls", other_namespaces},
          {"RefusesVersionsOnCreation", new_objects_have_no_version},
          {"RefusesMalformedBodies", malformed_bodies},
          {"ReadsYaml", yaml_bodies},
          {"KeepsIdentityImmutable", identity_is_immutable},
          {"WritesNothingWithoutAChange", updates_without_a_change},
          {"ReplacesByUpdates", updates_replace},
          {"CountsGenerations", generations},
          {"CountsNoGenerationsWithoutAnIntent", no_generations},
          {"KeepsStatusApart", status_apart},
          {"TakesNullsAsAbsent", nulls_are_absent},
          {"EncodesStringData", string_data},
          {"GivesServicesAddresses", service_addresses},
          {"GivesHeadlessServicesNone", headless_services},
          {"StoresEvents", events_are_objects},
          {"RefusesUnknownFieldsOfBuiltInKinds", strict_fields},
          {"RefusesWrongTypesInBuiltInKinds", wrong_types},
          {"ReadsProtobuf", protobuf}};
}

}  // namespace mtc::sandbox::testing
