#include <set>

#include "sandbox/testing/helpers.hpp"

// Strategic merge patches: lists with keys, and the directives.
namespace mtc::sandbox::testing {
namespace {

/// Deployment "d" with containers a and b, patched.
Task<Json> patched(Server s, std::string pod_spec) {
  auto object = deployment(s, "d", 0);
  object["spec"]["template"]["spec"]["containers"].push_back(
      parse_yaml_one("{name: b, image: 'lab.mtc/pause:1', args: [x, z]}"));
  object["spec"]["template"]["spec"]["volumes"] = parse_yaml_one("[{name: v, emptyDir: {}}]");
  co_await s.client->create(types::deployments(), object);
  const Json patch = {{"spec", {{"template", {{"spec", parse_yaml_one(pod_spec)}}}}}};
  co_return object_at(co_await s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kStrategic, patch),
                      "spec.template.spec");
}

const Json& container(const Json& pod_spec, const std::string& name) {
  for (const auto& one : array_at(pod_spec, "containers")) {
    if (string_at(one, "name") == name) return one;
  }
  throw Error(Code::kNotFound, "no container " + name);
}

std::vector<std::string> in_order(const Json& list) {
  std::vector<std::string> out;
  for (const auto& element : list) out.push_back(string_at(element, "name"));
  return out;
}

Task<void> merge_by_key(Server s) {
  const auto spec = co_await patched(s,
                                     "{containers: [{name: a, env: [{name: TWO, value: '2'}]}, {name: c, image: "
                                     "'lab.mtc/pause:1'}]}");
  EXPECT_EQ(array_at(spec, "containers").size(), 3u);
  EXPECT_EQ(array_at(container(spec, "a"), "env").size(), 2u);
  EXPECT_EQ(string_at(container(spec, "a"), "image"), "lab.mtc/pause:1");
}

Task<void> replace_atomic_lists(Server s) {
  const auto spec = co_await patched(s, "{containers: [{name: b, args: [z]}]}");
  EXPECT_EQ(dump(container(spec, "b")["args"]), R"(["z"])");
}

Task<void> delete_elements(Server s) {
  const auto spec = co_await patched(s, "{containers: [{name: a, $patch: delete}]}");
  EXPECT_EQ(in_order(array_at(spec, "containers")), std::vector<std::string>{"b"});
}

Task<void> replace_lists(Server s) {
  const auto spec = co_await patched(s, "{containers: [{$patch: replace}, {name: z, image: 'lab.mtc/pause:1'}]}");
  EXPECT_EQ(in_order(array_at(spec, "containers")), std::vector<std::string>{"z"});
}

Task<void> replace_maps(Server s) {
  const auto spec = co_await patched(s, "{securityContext: {runAsUser: 1000}}");
  EXPECT_EQ(int_at(spec, "securityContext.runAsUser"), 1000);
  const auto again = co_await s.client->patch(
      types::deployments(), {s.ns, "d"}, PatchKind::kStrategic,
      parse_yaml_one("{spec: {template: {spec: {securityContext: {$patch: replace, runAsGroup: 5}}}}}"));
  EXPECT_EQ(dump(object_at(again, "spec.template.spec.securityContext")), R"({"runAsGroup":5})");
}

Task<void> retain_keys(Server s) {
  const auto spec = co_await patched(s, "{volumes: [{name: v, $retainKeys: [name, configMap], configMap: {name: m}}]}");
  EXPECT_EQ(find(array_at(spec, "volumes")[0], "emptyDir"), nullptr);
  EXPECT_EQ(string_at(array_at(spec, "volumes")[0], "configMap.name"), "m");
}

Task<void> element_order(Server s) {
  const auto spec =
      co_await patched(s, "{$setElementOrder/containers: [{name: b}, {name: a}], containers: [{name: a, env: []}]}");
  EXPECT_EQ(in_order(array_at(spec, "containers")), (std::vector<std::string>{"b", "a"}));
}

Task<void> nulls_remove(Server s) {
  const auto spec = co_await patched(s, "{containers: [{name: b, args: null}], volumes: null}");
  EXPECT_EQ(find(container(spec, "b"), "args"), nullptr);
  EXPECT_EQ(find(spec, "volumes"), nullptr);
}

/// The status of the answer to a patch of the containers; a real server takes its own failure to merge for one.
Task<int> refusal_of(Server s, std::string containers) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  const Json patch = {{"spec", {{"template", {{"spec", {{"containers", parse_yaml_one(containers)}}}}}}}};
  co_return (co_await send(s, "PATCH", path_of(s, types::deployments()) + "/d",
                           {{"Content-Type", "application/strategic-merge-patch+json"}}, dump(patch)))
      .status;
}

Task<void> keys_are_needed(Server s) { EXPECT_EQ(co_await refusal_of(s, "[{image: 'lab.mtc/pause:2'}]"), 500); }

Task<void> unknown_directives(Server s) { EXPECT_EQ(co_await refusal_of(s, "[{name: a, $patch: explode}]"), 500); }

/// Config map "a" with two finalizers, patched; then freed of them.
Task<std::vector<std::string>> finalizers_after(Server s, std::string metadata) {
  auto object = config_map(s, "a");
  object["metadata"]["finalizers"] = {"example.com/a", "example.com/b"};
  co_await s.client->create(types::config_maps(), object);
  const auto after = co_await patch_map(s, "a", PatchKind::kStrategic, "{metadata: " + metadata + "}");
  co_await patch_map(s, "a", PatchKind::kMerge, "{metadata: {finalizers: null}}");
  co_return strings_at(after, "metadata.finalizers");
}

Task<void> sets_are_united(Server s) {
  const auto after = co_await finalizers_after(s, "{finalizers: [example.com/b, example.com/c]}");
  EXPECT_EQ(std::set(after.begin(), after.end()),
            (std::set<std::string>{"example.com/a", "example.com/b", "example.com/c"}));
}

Task<void> delete_from_sets(Server s) {
  EXPECT_EQ(co_await finalizers_after(s, "{$deleteFromPrimitiveList/finalizers: [example.com/a]}"),
            std::vector<std::string>{"example.com/b"});
}

Task<void> service_ports_by_port(Server s) {
  co_await s.client->create(types::services(),
                            named(s, "s", "{spec: {selector: {a: b}, ports: [{port: 80, name: web}]}}"));
  const auto after = co_await s.client->patch(
      types::services(), {s.ns, "s"}, PatchKind::kStrategic,
      parse_yaml_one("{spec: {ports: [{port: 80, targetPort: 8080}, {port: 443, name: tls}]}}"));
  const auto& ports = array_at(after, "spec.ports");
  EXPECT_EQ(ports.size(), 2u);
  for (const auto& port : ports) {
    if (int_at(port, "port") == 80) EXPECT_EQ(string_at(port, "name"), "web");
    if (int_at(port, "port") == 80) EXPECT_EQ(int_at(port, "targetPort"), 8080);
  }
}

}  // namespace

Cases strategic_patch_cases() {
  return {{"MergesListsByKey", merge_by_key},
          {"ReplacesListsWithoutKeys", replace_atomic_lists},
          {"DeletesElementsByDirective", delete_elements},
          {"ReplacesListsByDirective", replace_lists},
          {"ReplacesMapsByDirective", replace_maps},
          {"RetainsKeysByDirective", retain_keys},
          {"OrdersElementsByDirective", element_order},
          {"RemovesByNullsInStrategicPatches", nulls_remove},
          {"NeedsMergeKeys", keys_are_needed},
          {"RefusesUnknownDirectives", unknown_directives},
          {"UnitesSets", sets_are_united},
          {"DeletesFromSetsByDirective", delete_from_sets},
          {"MergesServicePortsByPort", service_ports_by_port}};
}

}  // namespace mtc::sandbox::testing
