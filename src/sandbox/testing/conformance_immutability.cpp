#include "sandbox/testing/helpers.hpp"

// What may not change once it is set.
namespace mtc::sandbox::testing {
namespace {

/// Whether a merge patch (flow YAML) of object "x" is refused as invalid.
Task<bool> refused(Server s, kube::ResourceType type, const char* patch) {
  co_return co_await code_of(s.client->patch(type, {s.ns, "x"}, PatchKind::kMerge, parse_yaml_one(patch))) ==
      Code::kInvalid;
}

Task<void> config_maps(Server s) {
  co_await s.client->create(types::config_maps(), named(s, "x", "{data: {k: v}, immutable: true}"));
  EXPECT_TRUE(co_await refused(s, types::config_maps(), "{data: {k: w}}"));
  EXPECT_TRUE(co_await refused(s, types::config_maps(), "{binaryData: {b: dg==}}"));
  EXPECT_TRUE(co_await refused(s, types::config_maps(), "{immutable: false}"));
  EXPECT_FALSE(co_await refused(s, types::config_maps(), "{metadata: {labels: {a: b}}}"));
}

Task<void> secrets(Server s) {
  co_await s.client->create(types::secrets(), named(s, "x", "{stringData: {k: v}, immutable: true}"));
  EXPECT_TRUE(co_await refused(s, types::secrets(), "{data: {k: dw==}}"));
  EXPECT_TRUE(co_await refused(s, types::secrets(), "{immutable: null}"));
}

Task<void> secret_types(Server s) {
  co_await s.client->create(types::secrets(), named(s, "x", "{type: example.com/a}"));
  EXPECT_TRUE(co_await refused(s, types::secrets(), "{type: example.com/b}"));
}

Task<void> service_addresses(Server s) {
  const auto made = co_await s.client->create(types::services(), named(s, "x", "{spec: {ports: [{port: 80}]}}"));
  auto address = string_at(made, "spec.clusterIP");
  address.back() = address.back() == '9' ? '8' : '9';
  const Json patch = {{"spec", {{"clusterIP", address}, {"clusterIPs", {address}}}}};
  EXPECT_TRUE(co_await refused(s, types::services(), dump(patch).c_str()));
}

Task<void> service_addresses_survive_updates(Server s) {
  auto made = co_await s.client->create(types::services(), named(s, "x", "{spec: {ports: [{port: 80}]}}"));
  const auto address = string_at(made, "spec.clusterIP");
  made["spec"].erase("clusterIP");
  made["spec"].erase("clusterIPs");
  EXPECT_EQ(string_at(co_await s.client->update(types::services(), made), "spec.clusterIP"), address);
}

Task<void> deployment_selectors(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "x", 0));
  EXPECT_TRUE(
      co_await refused(s, types::deployments(),
                       "{spec: {selector: {matchLabels: {app: z}}, template: {metadata: {labels: {app: z}}}}}"));
}

Task<void> selectors_match_templates(Server s) {
  auto object = deployment(s, "x", 0);
  object["spec"]["template"]["metadata"]["labels"] = {{"app", "other"}};
  EXPECT_EQ(co_await code_of(s.client->create(types::deployments(), object)), Code::kInvalid);
  object["spec"].erase("selector");
  EXPECT_EQ(co_await code_of(s.client->create(types::deployments(), object)), Code::kInvalid);
}

Task<void> stateful_sets(Server s) {
  co_await s.client->create(types::stateful_sets(),
                            named(s, "x",
                                  "{spec: {replicas: 0, serviceName: one, selector: {matchLabels: {app: x}}, template: "
                                  "{metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: "
                                  "'lab.mtc/pause:1'}]}}}}"));
  EXPECT_TRUE(co_await refused(s, types::stateful_sets(), "{spec: {serviceName: two}}"));
  EXPECT_TRUE(co_await refused(s, types::stateful_sets(), "{spec: {podManagementPolicy: Parallel}}"));
  EXPECT_FALSE(co_await refused(s, types::stateful_sets(), "{spec: {minReadySeconds: 3}}"));
}

Task<void> jobs(Server s) {
  co_await s.client->create(types::jobs(), named(s, "x",
                                                 "{spec: {suspend: true, template: {spec: {restartPolicy: Never, "
                                                 "containers: [{name: a, image: 'lab.mtc/pause:1'}]}}}}"));
  EXPECT_TRUE(co_await refused(s, types::jobs(),
                               "{spec: {template: {spec: {containers: [{name: a, image: 'lab.mtc/pause:2'}]}}}}"));
  EXPECT_FALSE(co_await refused(s, types::jobs(), "{spec: {activeDeadlineSeconds: 30}}"));
}

Task<void> claims(Server s) {
  co_await s.client->create(types::persistent_volume_claims(),
                            named(s, "x",
                                  "{spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: "
                                  "{storage: 1Gi}}}}"));
  EXPECT_TRUE(co_await refused(s, types::persistent_volume_claims(), "{spec: {accessModes: [ReadWriteMany]}}"));
  EXPECT_TRUE(co_await refused(s, types::persistent_volume_claims(), "{spec: {storageClassName: other}}"));
}

Task<void> role_refs(Server s) {
  co_await s.client->create(
      types::role_bindings(),
      named(s, "x", "{roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: []}"));
  EXPECT_TRUE(co_await refused(s, types::role_bindings(), "{roleRef: {name: edit}}"));
}

Task<void> pods(Server s) {
  co_await s.client->create(types::pods(), named(s, "x",
                                                 "{spec: {nodeSelector: {no: node}, terminationGracePeriodSeconds: 0, "
                                                 "containers: [{name: a, image: 'lab.mtc/pause:1'}]}}"));
  EXPECT_TRUE(co_await refused(s, types::pods(), "{spec: {restartPolicy: Never}}"));
  EXPECT_TRUE(co_await refused(s, types::pods(), "{spec: {hostNetwork: true}}"));
  EXPECT_EQ(
      co_await code_of(s.client->patch(types::pods(), {s.ns, "x"}, PatchKind::kStrategic,
                                       parse_yaml_one("{spec: {containers: [{name: a, image: 'lab.mtc/pause:2'}]}}"))),
      std::nullopt);
}

}  // namespace

Cases immutability_cases() {
  return {{"KeepsImmutableConfigMaps", config_maps},
          {"KeepsImmutableSecrets", secrets},
          {"KeepsTypesOfSecrets", secret_types},
          {"KeepsAddressesOfServices", service_addresses},
          {"KeepsAddressesThatUpdatesLeaveOut", service_addresses_survive_updates},
          {"KeepsSelectorsOfDeployments", deployment_selectors},
          {"ChecksSelectorsAgainstTemplates", selectors_match_templates},
          {"KeepsMostOfStatefulSets", stateful_sets},
          {"KeepsTemplatesOfJobs", jobs},
          {"KeepsClaims", claims},
          {"KeepsRolesOfBindings", role_refs},
          {"KeepsMostOfPods", pods}};
}

}  // namespace mtc::sandbox::testing
