#include "sandbox/testing/helpers.hpp"

// Optimistic concurrency: whoever names a version or a uid means that one.
namespace mtc::sandbox::testing {
namespace {

constexpr auto kOtherUid = "11111111-1111-1111-1111-111111111111";

/// The object as it was before somebody else changed it.
Task<Json> stale_map(Server s) {
  auto made = co_await make_map(s, "a", {{"k", "0"}});
  co_await patch_map(s, "a", PatchKind::kMerge, "{data: {k: '1'}}");
  co_return made;
}

Task<void> stale_updates(Server s) {
  auto stale = co_await stale_map(s);
  stale["data"]["k"] = "2";
  EXPECT_EQ(co_await code_of(s.client->update(types::config_maps(), stale)), Code::kConflict);
  EXPECT_EQ(string_at(co_await read_map(s, "a"), "data.k"), "1");
}

Task<void> conflicts_name_the_object(Server s) {
  const auto stale = co_await stale_map(s);
  const auto failure = co_await failure_of(s.client->update(types::config_maps(), stale));
  if (!failure) throw Error(Code::kInternal, "a stale update was taken");
  EXPECT_EQ(failure->message(),
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your "
            "changes to the latest version and try again");
}

Task<void> stale_patches(Server s, PatchKind kind) {
  const auto version = kube::resource_version_of(co_await stale_map(s));
  const Json patch = {{"metadata", {{"resourceVersion", version}}}, {"data", {{"k", "3"}}}};
  EXPECT_EQ(co_await code_of(patch_map(s, "a", kind, dump(patch))), Code::kConflict);
  EXPECT_EQ(string_at(co_await read_map(s, "a"), "data.k"), "1");
}
Task<void> stale_merge_patches(Server s) { return stale_patches(s, PatchKind::kMerge); }
Task<void> stale_strategic_patches(Server s) { return stale_patches(s, PatchKind::kStrategic); }

Task<void> stale_json_patches(Server s) {
  const auto version = kube::resource_version_of(co_await stale_map(s));
  const Json patch = Json::array({{{"op", "replace"}, {"path", "/metadata/resourceVersion"}, {"value", version}},
                                  {{"op", "replace"}, {"path", "/data/k"}, {"value", "3"}}});
  EXPECT_EQ(co_await code_of(patch_map(s, "a", PatchKind::kJson, dump(patch))), Code::kConflict);
}

Task<void> patches_of_the_latest(Server s) {
  const auto made = co_await make_map(s, "a");
  const Json patch = {{"metadata", {{"resourceVersion", kube::resource_version_of(made)}}}, {"data", {{"k", "3"}}}};
  EXPECT_EQ(string_at(co_await patch_map(s, "a", PatchKind::kMerge, dump(patch)), "data.k"), "3");
}

Task<void> updates_without_a_version(Server s) {
  auto stale = co_await stale_map(s);
  stale["metadata"].erase("resourceVersion");
  stale["data"]["k"] = "2";
  EXPECT_EQ(string_at(co_await s.client->update(types::config_maps(), stale), "data.k"), "2");
}

Task<void> updates_of_another_uid(Server s) {
  auto made = co_await make_map(s, "a");
  made["metadata"]["uid"] = kOtherUid;
  EXPECT_EQ(co_await code_of(s.client->update(types::config_maps(), made)), Code::kConflict);
}

Task<void> patches_of_another_uid(Server s) {
  co_await make_map(s, "a");
  const Json patch = {{"metadata", {{"uid", kOtherUid}}}, {"data", {{"k", "v"}}}};
  EXPECT_EQ(co_await code_of(patch_map(s, "a", PatchKind::kMerge, dump(patch))), Code::kInvalid);
}

Task<void> stale_status(Server s) {
  const auto made = co_await s.client->create(types::persistent_volume_claims(),
                                              named(s, "c",
                                                    "{spec: {accessModes: [ReadWriteOnce], storageClassName: none, "
                                                    "resources: {requests: {storage: 1Gi}}}}"));
  co_await s.client->patch(types::persistent_volume_claims(), {s.ns, "c"}, PatchKind::kMerge,
                           parse_yaml_one("{metadata: {labels: {a: b}}}"));
  EXPECT_EQ(co_await code_of(s.client->update(types::persistent_volume_claims(), made, {.subresource = "status"})),
            Code::kConflict);
}

Task<void> deletion_of_another_uid(Server s) {
  const auto made = co_await make_map(s, "a");
  const kube::DeleteOptions wrong{.uid = kOtherUid}, right{.uid = kube::uid_of(made)};
  EXPECT_EQ(co_await code_of(s.client->remove(types::config_maps(), {s.ns, "a"}, wrong)), Code::kConflict);
  EXPECT_TRUE(co_await s.client->remove(types::config_maps(), {s.ns, "a"}, right));
}

Task<void> deletion_of_another_version(Server s) {
  const auto stale = kube::resource_version_of(co_await stale_map(s));
  const auto remove = [&](const std::string& version) {
    const Json options = {
        {"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"preconditions", {{"resourceVersion", version}}}};
    return s.client->raw("DELETE", path_of(s, types::config_maps()) + "/a", options);
  };
  EXPECT_EQ(co_await code_of(remove(stale)), Code::kConflict);
  const auto latest = kube::resource_version_of(co_await read_map(s, "a"));
  EXPECT_EQ(co_await code_of(remove(latest)), std::nullopt);
}

Task<void> a_new_object_is_another(Server s) {
  const auto first = co_await make_map(s, "a");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  const auto second = co_await make_map(s, "a");
  EXPECT_NE(kube::uid_of(first), kube::uid_of(second));
  EXPECT_EQ(co_await code_of(s.client->update(types::config_maps(), first)), Code::kConflict);
}

}  // namespace

Cases conflict_cases() {
  return {{"RefusesStaleUpdates", stale_updates},
          {"NamesTheObjectInConflicts", conflicts_name_the_object},
          {"RefusesStaleMergePatches", stale_merge_patches},
          {"RefusesStaleStrategicPatches", stale_strategic_patches},
          {"RefusesStaleJsonPatches", stale_json_patches},
          {"TakesPatchesOfTheLatestVersion", patches_of_the_latest},
          {"TakesUpdatesWithoutAVersion", updates_without_a_version},
          {"RefusesUpdatesOfAnotherUid", updates_of_another_uid},
          {"RefusesPatchesOfAnotherUid", patches_of_another_uid},
          {"RefusesStaleStatus", stale_status},
          {"HonoursUidsOfDeletions", deletion_of_another_uid},
          {"HonoursVersionsOfDeletions", deletion_of_another_version},
          {"TakesANewObjectForAnother", a_new_object_is_another}};
}

}  // namespace mtc::sandbox::testing
