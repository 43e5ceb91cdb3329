#include "sandbox/testing/helpers.hpp"

// Server-side dry run: the whole answer, and nothing stored.
namespace mtc::sandbox::testing {
namespace {

const kube::WriteOptions kDry{.dry_run = kube::DryRun::kYes};

Task<void> creation(Server s) {
  const auto answer = co_await s.client->create(types::config_maps(), config_map(s, "a"), kDry);
  EXPECT_NE(kube::uid_of(answer), "");
  EXPECT_NE(string_at(answer, "metadata.creationTimestamp"), "");
  EXPECT_EQ(kube::resource_version_of(answer), "");
  EXPECT_EQ(co_await s.client->get(types::config_maps(), {s.ns, "a"}), std::nullopt);
}

Task<void> defaults(Server s) {
  const auto answer =
      co_await s.client->create(types::services(), named(s, "s", "{spec: {ports: [{port: 80}]}}"), kDry);
  EXPECT_EQ(string_at(answer, "spec.type"), "ClusterIP");
}

Task<void> refusals(Server s) {
  EXPECT_EQ(co_await code_of(s.client->create(types::config_maps(), config_map(s, "Bad Name"), kDry)), Code::kInvalid);
  co_await make_map(s, "a");
  EXPECT_EQ(co_await code_of(s.client->create(types::config_maps(), config_map(s, "a"), kDry)), Code::kAlreadyExists);
}

Task<void> update(Server s) {
  auto object = co_await make_map(s, "a", {{"k", "1"}});
  object["data"]["k"] = "2";
  EXPECT_EQ(string_at(co_await s.client->update(types::config_maps(), object, kDry), "data.k"), "2");
  EXPECT_EQ(string_at(co_await read_map(s, "a"), "data.k"), "1");
}

Task<void> patches(Server s) {
  co_await make_map(s, "a", {{"k", "1"}});
  for (const auto& [kind, patch] : {std::pair{PatchKind::kMerge, "{data: {k: '2'}}"},
                                    {PatchKind::kStrategic, "{data: {k: '2'}}"},
                                    {PatchKind::kJson, "[{op: replace, path: /data/k, value: '2'}]"}})
    EXPECT_EQ(string_at(co_await patch_map(s, "a", kind, patch, kDry), "data.k"), "2") << patch;
  EXPECT_EQ(string_at(co_await read_map(s, "a"), "data.k"), "1");
}

Task<void> apply(Server s) {
  const auto answer = co_await patch_map(s, "a", PatchKind::kApply,
                                         "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}", kDry);
  EXPECT_EQ(string_at(answer, "data.k"), "v");
  EXPECT_EQ(co_await s.client->get(types::config_maps(), {s.ns, "a"}), std::nullopt);
}

Task<void> deletion(Server s) {
  co_await make_map(s, "a");
  EXPECT_EQ((co_await send(s, "DELETE", path_of(s, types::config_maps()) + "/a?dryRun=All")).status, 200);
  const Json options = {{"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"dryRun", {"All"}}};
  co_await s.client->raw("DELETE", path_of(s, types::config_maps()) + "/a", options);
  EXPECT_EQ(string_at(co_await read_map(s, "a"), "metadata.deletionTimestamp"), "");
}

Task<void> collection(Server s) {
  co_await make_map(s, "a");
  EXPECT_EQ((co_await send(s, "DELETE", path_of(s, types::config_maps()) + "?dryRun=All")).status, 200);
  EXPECT_EQ(string_at(co_await read_map(s, "a"), "metadata.deletionTimestamp"), "");
}

Task<void> status_and_scale(Server s) {
  co_await s.client->create(types::replica_sets(),
                            named(s, "r",
                                  "{spec: {replicas: 0, selector: {matchLabels: {app: x}}, template: {metadata: "
                                  "{labels: {app: x}}, spec: {containers: [{name: a, image: 'lab.mtc/pause:1'}]}}}}"));
  auto options = kDry;
  options.subresource = "scale";
  const auto scale = co_await s.client->patch(types::replica_sets(), {s.ns, "r"}, PatchKind::kMerge,
                                              parse_yaml_one("{spec: {replicas: 3}}"), options);
  EXPECT_EQ(int_at(scale, "spec.replicas"), 3);
  EXPECT_EQ(int_at(co_await kube::must_get(*s.client, types::replica_sets(), {s.ns, "r"}), "spec.replicas"), 0);
}

Task<void> other_values(Server s) {
  EXPECT_EQ(
      co_await code_of(s.client->raw("POST", path_of(s, types::config_maps()) + "?dryRun=Some", config_map(s, "a"))),
      Code::kInvalid);
}

}  // namespace

Cases dry_run_cases() {
  return {{"CreatesNothingInADryRun", creation},
          {"FillsInDefaultsInADryRun", defaults},
          {"RefusesInADryRunToo", refusals},
          {"UpdatesNothingInADryRun", update},
          {"PatchesNothingInADryRun", patches},
          {"AppliesNothingInADryRun", apply},
          {"DeletesNothingInADryRun", deletion},
          {"DeletesNoCollectionInADryRun", collection},
          {"ScalesNothingInADryRun", status_and_scale},
          {"KnowsOneDryRun", other_values}};
}

}  // namespace mtc::sandbox::testing
