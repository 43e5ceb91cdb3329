#include "sandbox/testing/helpers.hpp"

// JSON patches (RFC 6902) and merge patches (RFC 7386).
namespace mtc::sandbox::testing {
namespace {

/// A patch of config map "a".
Task<Json> patched(Server s, PatchKind kind, const char* patch) { return patch_map(s, "a", kind, patch); }

Task<void> merge_patches(Server s) {
  co_await make_map(s, "a", {{"keep", "1"}, {"drop", "2"}});
  const auto after = co_await patched(s, PatchKind::kMerge, "{data: {drop: null, new: '3'}}");
  EXPECT_EQ(dump(after["data"]), R"({"keep":"1","new":"3"})");
}

Task<void> merge_patches_replace_lists(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  const auto after = co_await s.client->patch(
      types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
      parse_yaml_one("{spec: {template: {spec: {containers: [{name: b, image: 'lab.mtc/pause:1'}]}}}}"));
  EXPECT_EQ(names_of(array_at(after, "spec.template.spec.containers")), std::vector<std::string>{""});
  EXPECT_EQ(string_at(array_at(after, "spec.template.spec.containers")[0], "name"), "b");
}

Task<void> merge_patches_remove_maps(Server s) {
  co_await s.client->create(types::config_maps(), labelled(config_map(s, "a", {{"k", "v"}}), "l", "v"));
  const auto after = co_await patched(s, PatchKind::kMerge, "{data: null, metadata: {labels: null}}");
  EXPECT_EQ(find(after, "data"), nullptr);
  EXPECT_EQ(find(after, "metadata.labels"), nullptr);
}

Task<void> merge_patches_are_objects(Server s) {
  co_await make_map(s, "a");
  EXPECT_EQ(co_await code_of(patched(s, PatchKind::kMerge, "[1]")), Code::kInvalid);
}

Task<void> json_patches(Server s) {
  co_await make_map(s, "a", {{"k", "1"}});
  const auto after = co_await patched(s, PatchKind::kJson,
                                      "[{op: test, path: /data/k, value: '1'}, {op: replace, path: /data/k, value: "
                                      "'2'}, {op: add, path: /data/n, value: '3'}]");
  EXPECT_EQ(dump(after["data"]), R"({"k":"2","n":"3"})");
}

Task<void> failed_tests(Server s) {
  const auto made = co_await make_map(s, "a", {{"k", "1"}});
  EXPECT_EQ(co_await code_of(patched(s, PatchKind::kJson,
                                     "[{op: replace, path: /data/k, value: '2'}, {op: test, path: /data/k, value: "
                                     "'9'}]")),
            Code::kInvalid);
  EXPECT_EQ(kube::resource_version_of(co_await read_map(s, "a")), kube::resource_version_of(made));
}

Task<void> json_patches_move(Server s) {
  co_await make_map(s, "a", {{"one", "1"}, {"two", "2"}});
  const auto after = co_await patched(
      s, PatchKind::kJson,
      "[{op: move, from: /data/one, path: /data/three}, {op: copy, from: /data/two, path: /data/four}]");
  EXPECT_EQ(dump(after["data"]), R"({"four":"2","three":"1","two":"2"})");
}

Task<void> json_patches_in_lists(Server s) {
  auto object = config_map(s, "a");
  object["metadata"]["finalizers"] = {"example.com/b"};
  co_await s.client->create(types::config_maps(), object);
  const auto after = co_await patched(s, PatchKind::kJson,
                                      "[{op: add, path: /metadata/finalizers/-, value: example.com/c}, {op: add, path: "
                                      "/metadata/finalizers/0, value: example.com/a}]");
  EXPECT_EQ(strings_at(after, "metadata.finalizers"),
            (std::vector<std::string>{"example.com/a", "example.com/b", "example.com/c"}));
  co_await patched(s, PatchKind::kJson, "[{op: remove, path: /metadata/finalizers}]");
}

Task<void> json_patches_escape(Server s) {
  co_await make_map(s, "a");
  const auto after = co_await patched(s, PatchKind::kJson,
                                      "[{op: add, path: /metadata/annotations, value: {}}, {op: add, path: "
                                      "/metadata/annotations/example.com~1x, value: z}]");
  EXPECT_EQ(kube::annotation(after, "example.com/x"), "z");
}

Task<void> json_patches_of_nothing(Server s) {
  co_await make_map(s, "a");
  for (const auto* patch : {"[{op: replace, path: /data/none, value: v}]", "[{op: remove, path: /data/none}]",
                            "[{op: add, path: /no/where, value: v}]"})
    EXPECT_EQ(co_await code_of(patched(s, PatchKind::kJson, patch)), Code::kInvalid) << patch;
}

Task<void> json_patches_are_lists(Server s) {
  co_await make_map(s, "a");
  EXPECT_EQ(co_await code_of(patched(s, PatchKind::kJson, "{data: {k: v}}")), Code::kInvalid);
}

Task<void> unknown_patch_types(Server s) {
  co_await make_map(s, "a");
  const auto answer =
      co_await send(s, "PATCH", path_of(s, types::config_maps()) + "/a", {{"Content-Type", "application/json"}}, "{}");
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(string_at(parse_json(answer.body), "reason"), "UnsupportedMediaType");
}

Task<void> patches_are_validated(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  EXPECT_EQ(co_await code_of(s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
                                             parse_yaml_one("{spec: {replicas: -1}}"))),
            Code::kInvalid);
}

Task<void> patches_without_a_change(Server s) {
  const auto made = co_await make_map(s, "a", {{"k", "v"}});
  const auto after = co_await patched(s, PatchKind::kMerge, "{data: {k: v}}");
  EXPECT_EQ(kube::resource_version_of(made), kube::resource_version_of(after));
}

Task<void> patches_keep_the_name(Server s) {
  co_await make_map(s, "a");
  EXPECT_EQ(co_await code_of(patched(s, PatchKind::kMerge, "{metadata: {name: b}}")), Code::kInvalid);
}

}  // namespace

Cases patch_cases() {
  return {{"MergesMergePatches", merge_patches},
          {"ReplacesListsByMergePatches", merge_patches_replace_lists},
          {"RemovesMapsByMergePatches", merge_patches_remove_maps},
          {"RefusesMergePatchesThatAreNoObjects", merge_patches_are_objects},
          {"AppliesJsonPatches", json_patches},
          {"ChangesNothingWhenATestFails", failed_tests},
          {"MovesAndCopiesByJsonPatches", json_patches_move},
          {"ChangesListsByJsonPatches", json_patches_in_lists},
          {"ReadsEscapesInJsonPatches", json_patches_escape},
          {"RefusesJsonPatchesOfWhatIsAbsent", json_patches_of_nothing},
          {"RefusesJsonPatchesThatAreNoLists", json_patches_are_lists},
          {"RefusesUnknownTypesOfPatches", unknown_patch_types},
          {"ValidatesWhatPatchesMake", patches_are_validated},
          {"WritesNothingForPatchesWithoutAChange", patches_without_a_change},
          {"RefusesNewNamesByPatches", patches_keep_the_name}};
}

}  // namespace mtc::sandbox::testing
