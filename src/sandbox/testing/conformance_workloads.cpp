#include <algorithm>

#include "sandbox/testing/helpers.hpp"

// Workloads have pods.
namespace mtc::sandbox::testing {
namespace {

auto has(const char* path, std::int64_t count) {
  return
      [path, count](const std::optional<Json>& object) { return object && int_at(*object, path).value_or(0) == count; };
}

Task<std::vector<Json>> pods(Server s) { co_return (co_await s.client->list(types::pods(), s.ns, {})).items; }

Json workload(const Server& s, const std::string& name, const char* spec) {
  auto out = named(s, name,
                   "{spec: {selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}, spec: "
                   "{terminationGracePeriodSeconds: 0, containers: [{name: a, image: 'lab.mtc/pause:1'}]}}}}");
  out["spec"].update(parse_yaml_one(spec));
  return out;
}

Task<void> deployments(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 2));
  co_await until(s, types::deployments(), "d", has("status.replicas", 2));
  co_await s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
                           parse_yaml_one("{spec: {replicas: 0}}"));
  co_await until(s, types::deployments(), "d", has("status.replicas", 0));
}

Task<void> owners(Server s) {
  const auto made = co_await s.client->create(types::deployments(), deployment(s, "d", 1));
  co_await until(s, types::deployments(), "d", has("status.replicas", 1));
  const auto sets = (co_await s.client->list(types::replica_sets(), s.ns, {})).items;
  EXPECT_EQ(sets.size(), 1u);
  const auto& owner = array_at(sets.at(0), "metadata.ownerReferences")[0];
  EXPECT_EQ(string_at(owner, "uid"), kube::uid_of(made));
  EXPECT_TRUE(bool_at(owner, "controller"));
  const auto found = co_await pods(s);
  EXPECT_EQ(found.size(), 1u);
  EXPECT_EQ(string_at(array_at(found.at(0), "metadata.ownerReferences")[0], "uid"), kube::uid_of(sets.at(0)));
  EXPECT_EQ(kube::label(found.at(0), "app"), "x");
  EXPECT_NE(kube::label(found.at(0), "pod-template-hash"), "");
}

Task<void> removal(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 1));
  co_await until(s, types::deployments(), "d", has("status.replicas", 1));
  const auto name = kube::key_of((co_await pods(s)).at(0)).name;
  co_await s.client->remove(types::deployments(), {s.ns, "d"});
  co_await until(s, types::pods(), name, [](const auto& object) { return !object; });
}

Task<void> replacement(Server s) {
  co_await s.client->create(types::replica_sets(), workload(s, "r", "{replicas: 1}"));
  co_await until(s, types::replica_sets(), "r", has("status.replicas", 1));
  const auto first = kube::key_of((co_await pods(s)).at(0)).name;
  co_await s.client->remove(types::pods(), {s.ns, first});
  co_await until(s, types::pods(), first, [](const auto& object) { return !object; });
  co_await until(s, types::replica_sets(), "r", has("status.replicas", 1));
}

Task<void> new_templates(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  co_await until(s, types::deployments(), "d", has("status.observedGeneration", 1));
  co_await s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
                           parse_yaml_one("{spec: {template: {metadata: {labels: {new: label}}}}}"));
  co_await until(s, types::deployments(), "d", has("status.observedGeneration", 2));
  EXPECT_EQ((co_await s.client->list(types::replica_sets(), s.ns, {})).items.size(), 2u);
}

Task<void> stateful_sets(Server s) {
  co_await s.client->create(types::stateful_sets(),
                            workload(s, "db", "{replicas: 2, serviceName: db, podManagementPolicy: Parallel}"));
  co_await until(s, types::stateful_sets(), "db", has("status.replicas", 2));
  auto names = names_of(co_await pods(s));
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"db-0", "db-1"}));
}

Task<void> jobs(Server s) {
  co_await s.client->create(types::jobs(),
                            named(s, "j",
                                  "{spec: {parallelism: 2, completions: 2, template: {spec: {restartPolicy: Never, "
                                  "terminationGracePeriodSeconds: 0, containers: [{name: a, image: "
                                  "'lab.mtc/pause:1'}]}}}}"));
  co_await until(s, types::jobs(), "j", has("status.active", 2));
}

Task<void> suspended_jobs(Server s) {
  co_await s.client->create(types::jobs(), named(s, "j",
                                                 "{spec: {suspend: true, template: {spec: {restartPolicy: Never, "
                                                 "containers: [{name: a, image: 'lab.mtc/pause:1'}]}}}}"));
  co_await until(s, types::jobs(), "j", [](const auto& object) {
    return object && std::ranges::any_of(array_at(*object, "status.conditions"), [](const Json& condition) {
             return string_at(condition, "type") == "Suspended" && string_at(condition, "status") == "True";
           });
  });
  EXPECT_TRUE((co_await pods(s)).empty());
}

Task<void> pods_run(Server s) {
  co_await s.client->create(types::pods(), named(s, "p",
                                                 "{spec: {terminationGracePeriodSeconds: 0, containers: [{name: a, "
                                                 "image: 'lab.mtc/pause:1'}]}}"));
  co_await until(s, types::pods(), "p",
                 [](const auto& object) { return object && string_at(*object, "status.phase") == "Running"; });
  const auto pod = co_await kube::must_get(*s.client, types::pods(), {s.ns, "p"});
  EXPECT_NE(string_at(pod, "spec.nodeName"), "");
  EXPECT_NE(string_at(pod, "status.podIP"), "");
  EXPECT_TRUE(bool_at(array_at(pod, "status.containerStatuses")[0], "ready"));
}

Task<void> defaults(Server s) {
  const auto made = co_await s.client->create(types::deployments(), [&] {
    auto object = deployment(s, "d", 0);
    object["spec"].erase("replicas");
    object["spec"]["template"]["spec"]["nodeSelector"] = {{"no", "node"}};
    return object;
  }());
  EXPECT_EQ(int_at(made, "spec.replicas"), 1);
  EXPECT_EQ(string_at(made, "spec.strategy.type"), "RollingUpdate");
  EXPECT_EQ(int_at(made, "spec.revisionHistoryLimit"), 10);
  EXPECT_EQ(string_at(made, "spec.template.spec.restartPolicy"), "Always");
  const auto& container = array_at(made, "spec.template.spec.containers")[0];
  EXPECT_EQ(string_at(container, "imagePullPolicy"), "IfNotPresent");
  EXPECT_EQ(string_at(container, "terminationMessagePath"), "/dev/termination-log");
}

Task<Json> read_scale(Server s) {
  co_return co_await s.client->raw("GET", path_of(s, types::deployments()) + "/d/scale");
}

Task<void> scaling(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  for (bool written = false; !written;) {  // A Deployment's own controller writes its status meanwhile.
    auto scale = co_await read_scale(s);
    EXPECT_EQ(string_at(scale, "kind"), "Scale");
    EXPECT_EQ(string_at(scale, "status.selector"), "app=x");
    scale["spec"]["replicas"] = 1;
    const auto code = co_await code_of(s.client->raw("PUT", path_of(s, types::deployments()) + "/d/scale", scale));
    if (code && *code != Code::kConflict) throw Error(*code, "the scale was not taken");
    written = !code;
  }
  EXPECT_EQ(int_at(co_await kube::must_get(*s.client, types::deployments(), {s.ns, "d"}), "spec.replicas"), 1);
}

Task<void> stale_scaling(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  auto scale = co_await read_scale(s);
  co_await s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
                           parse_yaml_one("{metadata: {labels: {a: b}}}"));
  scale["spec"]["replicas"] = 1;
  EXPECT_EQ(co_await code_of(s.client->raw("PUT", path_of(s, types::deployments()) + "/d/scale", scale)),
            Code::kConflict);
}

Task<void> negative_scaling(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  EXPECT_EQ(co_await code_of(s.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
                                             parse_yaml_one("{spec: {replicas: -1}}"), {.subresource = "scale"})),
            Code::kInvalid);
}

}  // namespace

Cases workload_cases() {
  return {{"GivesDeploymentsPods", deployments},
          {"GivesPodsOwners", owners},
          {"RemovesPodsWithTheirWorkload", removal},
          {"ReplacesPods", replacement},
          {"GivesNewTemplatesNewReplicaSets", new_templates},
          {"NumbersPodsOfStatefulSets", stateful_sets},
          {"GivesJobsPods", jobs},
          {"GivesSuspendedJobsNoPods", suspended_jobs},
          {"RunsPods", pods_run},
          {"FillsInDefaultsOfWorkloads", defaults},
          {"ScalesBySubresource", scaling},
          {"RefusesStaleScales", stale_scaling},
          {"RefusesNegativeScales", negative_scaling}};
}

}  // namespace mtc::sandbox::testing
