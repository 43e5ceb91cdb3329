#include "sandbox/testing/conformance.hpp"

#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/yaml.hpp"
#include "kube/config.hpp"
#include "kube/follow.hpp"

namespace mtc::sandbox::testing {
namespace {

using kube::ClientPtr;
using kube::PatchKind;
namespace types = kube::types;

Json config_map(const std::string& ns, const std::string& name, Json data = Json::object()) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"namespace", ns}, {"name", name}}},
          {"data", std::move(data)}};
}

/// The code of the Error that `task` throws; nullopt if it throws none.
Task<std::optional<Code>> code_of(Task<Json> task) {
  std::optional<Code> code;
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    code = error.code();
  }
  co_return code;
}

Task<void> identity(ClientPtr client, std::string ns) {
  const auto made = co_await client->create(types::config_maps(), config_map(ns, "a", {{"k", "v"}}));
  EXPECT_NE(kube::uid_of(made), "");
  EXPECT_NE(kube::resource_version_of(made), "");
  EXPECT_NE(string_at(made, "metadata.creationTimestamp"), "");
  EXPECT_EQ(string_at(made, "apiVersion"), "v1");
  EXPECT_EQ(string_at(made, "kind"), "ConfigMap");
}

Task<void> create_twice(ClientPtr client, std::string ns) {
  co_await client->create(types::config_maps(), config_map(ns, "a"));
  EXPECT_EQ(co_await code_of(client->create(types::config_maps(), config_map(ns, "a"))), Code::kAlreadyExists);
}

Task<void> generated_names(ClientPtr client, std::string ns) {
  auto object = config_map(ns, "");
  object["metadata"].erase("name");
  object["metadata"]["generateName"] = "gen-";
  const auto one = co_await client->create(types::config_maps(), object),
             two = co_await client->create(types::config_maps(), object);
  EXPECT_TRUE(kube::key_of(one).name.starts_with("gen-"));
  EXPECT_NE(kube::key_of(one).name, kube::key_of(two).name);
}

Task<void> names_are_checked(ClientPtr client, std::string ns) {
  for (const auto* name : {"Upper", "under_score", "-a", "a-", "a b"}) {
    EXPECT_EQ(co_await code_of(client->create(types::config_maps(), config_map(ns, name))), Code::kInvalid) << name;
  }
}

Task<void> absent_namespace(ClientPtr client, std::string ns) {
  EXPECT_EQ(co_await code_of(client->create(types::config_maps(), config_map(ns + "-absent", "a"))), Code::kNotFound);
}

Task<void> absent_objects(ClientPtr client, std::string ns) {
  EXPECT_EQ(co_await client->get(types::config_maps(), {ns, "absent"}), std::nullopt);
  EXPECT_FALSE(co_await client->remove(types::config_maps(), {ns, "absent"}));
  const Json patch = {{"data", {{"k", "v"}}}};
  EXPECT_EQ(co_await code_of(client->patch(types::config_maps(), {ns, "absent"}, PatchKind::kMerge, patch)),
            Code::kNotFound);
}

Task<void> stale_updates(ClientPtr client, std::string ns) {
  auto first = co_await client->create(types::config_maps(), config_map(ns, "a"));
  auto stale = first;
  first["data"]["k"] = "1";
  const auto second = co_await client->update(types::config_maps(), first);
  EXPECT_NE(kube::resource_version_of(first), kube::resource_version_of(second));
  stale["data"]["k"] = "2";
  EXPECT_EQ(co_await code_of(client->update(types::config_maps(), stale)), Code::kConflict);
  const Json patch = {{"metadata", {{"resourceVersion", kube::resource_version_of(stale)}}}, {"data", {{"k", "3"}}}};
  EXPECT_EQ(co_await code_of(client->patch(types::config_maps(), {ns, "a"}, PatchKind::kMerge, patch)),
            Code::kConflict);
}

Task<void> updates_without_a_change(ClientPtr client, std::string ns) {
  const auto made = co_await client->create(types::config_maps(), config_map(ns, "a", {{"k", "v"}}));
  const auto same = co_await client->update(types::config_maps(), made);
  EXPECT_EQ(kube::resource_version_of(made), kube::resource_version_of(same));
}

Task<void> identity_is_immutable(ClientPtr client, std::string ns) {
  auto made = co_await client->create(types::config_maps(), config_map(ns, "a"));
  auto changed = made;
  changed["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z";
  const auto stored = co_await client->update(types::config_maps(), changed);
  EXPECT_EQ(string_at(stored, "metadata.creationTimestamp"), string_at(made, "metadata.creationTimestamp"));
  changed = stored;
  changed["metadata"]["uid"] = "11111111-1111-1111-1111-111111111111";
  EXPECT_EQ(co_await code_of(client->update(types::config_maps(), changed)), Code::kConflict);
}

Task<void> merge_patches(ClientPtr client, std::string ns) {
  co_await client->create(types::config_maps(), config_map(ns, "a", {{"keep", "1"}, {"drop", "2"}}));
  const auto patched = co_await client->patch(types::config_maps(), {ns, "a"}, PatchKind::kMerge,
                                              parse_json(R"({"data":{"drop":null,"new":"3"}})"));
  EXPECT_EQ(dump(patched["data"]), R"({"keep":"1","new":"3"})");
}

Task<void> json_patches(ClientPtr client, std::string ns) {
  co_await client->create(types::config_maps(), config_map(ns, "a", {{"k", "1"}}));
  const auto patched = co_await client->patch(
      types::config_maps(), {ns, "a"}, PatchKind::kJson,
      parse_json(
          R"([{"op":"test","path":"/data/k","value":"1"},{"op":"replace","path":"/data/k","value":"2"},{"op":"add","path":"/data/n","value":"3"}])"));
  EXPECT_EQ(dump(patched["data"]), R"({"k":"2","n":"3"})");
  EXPECT_EQ(co_await code_of(client->patch(types::config_maps(), {ns, "a"}, PatchKind::kJson,
                                           parse_json(R"([{"op":"test","path":"/data/k","value":"9"}])"))),
            Code::kInvalid);
}

Json deployment(const std::string& ns, const std::string& name, int replicas) {
  auto out = parse_yaml_one(
      "{apiVersion: apps/v1, kind: Deployment, spec: {selector: {matchLabels: {app: x}}, template: {metadata: {labels: "
      "{app: x}}, spec: {containers: [{name: a, image: 'lab.mtc/pause:1', env: [{name: ONE, value: '1'}]}]}}}}");
  out["metadata"] = {{"namespace", ns}, {"name", name}};
  out["spec"]["replicas"] = replicas;
  return out;
}

Task<void> strategic_patches(ClientPtr client, std::string ns) {
  co_await client->create(types::deployments(), deployment(ns, "d", 0));
  const auto patch = parse_json(
      R"({"spec":{"template":{"spec":{"containers":[{"name":"a","env":[{"name":"TWO","value":"2"}]},{"name":"b","image":"lab.mtc/pause:1"}]}}}})");
  const auto patched = co_await client->patch(types::deployments(), {ns, "d"}, PatchKind::kStrategic, patch);
  const auto& containers = array_at(patched, "spec.template.spec.containers");
  EXPECT_EQ(containers.size(), 2u);
  for (const auto& container : containers) {
    if (string_at(container, "name") == "a") {
      EXPECT_EQ(array_at(container, "env").size(), 2u);
      EXPECT_EQ(string_at(container, "image"), "lab.mtc/pause:1");
    }
  }
}

Task<void> generations(ClientPtr client, std::string ns) {
  const auto made = co_await client->create(types::deployments(), deployment(ns, "d", 0));
  EXPECT_EQ(int_at(made, "metadata.generation"), 1);
  const auto labelled = co_await client->patch(types::deployments(), {ns, "d"}, PatchKind::kMerge,
                                               parse_json(R"({"metadata":{"labels":{"a":"b"}}})"));
  EXPECT_EQ(int_at(labelled, "metadata.generation"), 1);
  const auto changed = co_await client->patch(types::deployments(), {ns, "d"}, PatchKind::kMerge,
                                              parse_json(R"({"spec":{"minReadySeconds":5}})"));
  EXPECT_EQ(int_at(changed, "metadata.generation"), 2);
}

Task<void> status_apart(ClientPtr client, std::string ns) {
  auto object = deployment(ns, "d", 0);
  object["status"] = {{"replicas", 7}};
  const auto made = co_await client->create(types::deployments(), object);
  EXPECT_NE(int_at(made, "status.replicas").value_or(0), 7);
  const auto patched =
      co_await client->patch(types::deployments(), {ns, "d"}, PatchKind::kMerge,
                             parse_json(R"({"spec":{"replicas":0,"minReadySeconds":9},"status":{"collisionCount":3}})"),
                             {.subresource = "status"});
  EXPECT_EQ(int_at(patched, "status.collisionCount"), 3);
  EXPECT_NE(int_at(patched, "spec.minReadySeconds").value_or(0), 9);
}

Task<void> dry_runs(ClientPtr client, std::string ns) {
  const auto answer =
      co_await client->create(types::config_maps(), config_map(ns, "a"), {.dry_run = kube::DryRun::kYes});
  EXPECT_NE(kube::uid_of(answer), "");
  EXPECT_EQ(co_await client->get(types::config_maps(), {ns, "a"}), std::nullopt);
  co_await client->create(types::config_maps(), config_map(ns, "b"));
  const auto patched = co_await client->patch(types::config_maps(), {ns, "b"}, PatchKind::kMerge,
                                              parse_json(R"({"data":{"k":"v"}})"), {.dry_run = kube::DryRun::kYes});
  EXPECT_EQ(string_at(patched, "data.k"), "v");
  EXPECT_EQ(string_at(*co_await client->get(types::config_maps(), {ns, "b"}), "data.k"), "");
}

Task<void> label_selectors(ClientPtr client, std::string ns) {
  for (const auto* name : {"a", "b", "c"}) {
    auto object = config_map(ns, name);
    object["metadata"]["labels"] = {{"name", name}, {"group", std::string(name) == "c" ? "two" : "one"}};
    co_await client->create(types::config_maps(), object);
  }
  const std::vector<std::pair<std::string, std::size_t>> expected = {
      {"group=one", 2}, {"group!=one,name", 1}, {"name in (a,c)", 2}, {"group notin (two),name", 2}, {"name=zzz", 0}};
  for (const auto& [selector, count] : expected) {
    const kube::ListOptions options{.label_selector = selector};
    EXPECT_EQ((co_await client->list(types::config_maps(), ns, options)).items.size(), count) << selector;
  }
}

Task<void> field_selectors(ClientPtr client, std::string ns) {
  co_await client->create(types::config_maps(), config_map(ns, "a"));
  co_await client->create(types::config_maps(), config_map(ns, "b"));
  const kube::ListOptions one{.field_selector = "metadata.name=a"};
  EXPECT_EQ((co_await client->list(types::config_maps(), ns, one)).items.size(), 1u);
}

Task<void> paging(ClientPtr client, std::string ns) {
  for (int i = 0; i < 7; ++i)
    co_await client->create(types::secrets(), {{"metadata", {{"namespace", ns}, {"name", "s" + std::to_string(i)}}}});
  std::vector<std::string> names;
  kube::ListOptions options{.limit = 3};
  std::size_t pages = 0;
  do {
    const auto page = co_await client->list(types::secrets(), ns, options);
    for (const auto& item : page.items) names.push_back(kube::key_of(item).name);
    options.continue_token = page.continue_token;
    ++pages;
  } while (!options.continue_token.empty());
  EXPECT_EQ(pages, 3u);
  EXPECT_EQ(names, (std::vector<std::string>{"s0", "s1", "s2", "s3", "s4", "s5", "s6"}));
}

Task<void> bad_continue_tokens(ClientPtr client, std::string ns) {
  const kube::ListOptions options{.continue_token = "nonsense"};
  std::optional<Code> code;
  try {
    co_await client->list(types::config_maps(), ns, options);
  } catch (const Error& error) {
    code = error.code();
  }
  EXPECT_EQ(code, Code::kInvalid);
}

Task<void> finalizers(ClientPtr client, std::string ns) {
  auto object = config_map(ns, "a");
  object["metadata"]["finalizers"] = {"example.com/hold"};
  co_await client->create(types::config_maps(), object);
  EXPECT_TRUE(co_await client->remove(types::config_maps(), {ns, "a"}));
  const auto held = co_await client->get(types::config_maps(), {ns, "a"});
  if (!held) throw Error(Code::kInternal, "a finalizer did not hold");
  EXPECT_NE(string_at(*held, "metadata.deletionTimestamp"), "");
  co_await client->patch(types::config_maps(), {ns, "a"}, PatchKind::kMerge,
                         parse_json(R"({"metadata":{"finalizers":null}})"));
  EXPECT_EQ(co_await client->get(types::config_maps(), {ns, "a"}), std::nullopt);
}

Task<void> delete_preconditions(ClientPtr client, std::string ns) {
  const auto made = co_await client->create(types::config_maps(), config_map(ns, "a"));
  auto wrong = [](ClientPtr c, std::string in) -> Task<Json> {
    const kube::DeleteOptions options{.uid = "11111111-1111-1111-1111-111111111111"};
    co_await c->remove(types::config_maps(), {in, "a"}, options);
    co_return Json();
  };
  EXPECT_EQ(co_await code_of(wrong(client, ns)), Code::kConflict);
  const kube::DeleteOptions right{.uid = kube::uid_of(made)};
  EXPECT_TRUE(co_await client->remove(types::config_maps(), {ns, "a"}, right));
}

Task<void> delete_collections(ClientPtr client, std::string ns) {
  for (const auto* name : {"a", "b"}) {
    auto object = config_map(ns, name);
    object["metadata"]["labels"] = {{"name", name}};
    co_await client->create(types::config_maps(), object);
  }
  const kube::ListOptions what{.label_selector = "name=a"};
  co_await client->remove_collection(types::config_maps(), ns, what);
  EXPECT_EQ(co_await client->get(types::config_maps(), {ns, "a"}), std::nullopt);
  EXPECT_TRUE(co_await client->get(types::config_maps(), {ns, "b"}));
}

/// Reads `count` events of a watch that begins at `version`.
Task<std::vector<kube::WatchEvent>> events(ClientPtr client, std::string ns, std::string version, std::string selector,
                                           std::size_t count) {
  const kube::WatchOptions options{.label_selector = selector, .resource_version = version};
  const auto watch = co_await client->watch(types::config_maps(), ns, options);
  std::vector<kube::WatchEvent> out;
  while (out.size() < count) {
    auto event = co_await async::with_timeout(std::chrono::seconds(10), "next event", watch->next());
    if (!event) throw Error(Code::kInternal, "the watch ended");
    if (event->type != kube::WatchEvent::Type::kBookmark && kube::key_of(event->object).name != "kube-root-ca.crt")
      out.push_back(std::move(*event));
  }
  co_return out;
}

Task<void> watches(ClientPtr client, std::string ns) {
  const auto version = (co_await client->list(types::config_maps(), ns, {})).resource_version;
  auto object = co_await client->create(types::config_maps(), config_map(ns, "a"));
  object["data"]["k"] = "v";
  co_await client->update(types::config_maps(), object);
  co_await client->remove(types::config_maps(), {ns, "a"});
  const auto seen = co_await events(client, ns, version, "", 3);
  EXPECT_EQ(seen[0].type, kube::WatchEvent::Type::kAdded);
  EXPECT_EQ(seen[1].type, kube::WatchEvent::Type::kModified);
  EXPECT_EQ(seen[2].type, kube::WatchEvent::Type::kDeleted);
  EXPECT_EQ(string_at(seen[2].object, "data.k"), "v");
}

Task<void> watches_with_selectors(ClientPtr client, std::string ns) {
  const auto version = (co_await client->list(types::config_maps(), ns, {})).resource_version;
  co_await client->create(types::config_maps(), config_map(ns, "a"));
  co_await client->patch(types::config_maps(), {ns, "a"}, PatchKind::kMerge,
                         parse_json(R"({"metadata":{"labels":{"in":"view"}}})"));
  co_await client->patch(types::config_maps(), {ns, "a"}, PatchKind::kMerge, parse_json(R"({"data":{"k":"v"}})"));
  co_await client->patch(types::config_maps(), {ns, "a"}, PatchKind::kMerge,
                         parse_json(R"({"metadata":{"labels":{"in":"hiding"}}})"));
  const auto seen = co_await events(client, ns, version, "in=view", 3);
  EXPECT_EQ(seen[0].type, kube::WatchEvent::Type::kAdded);
  EXPECT_EQ(seen[1].type, kube::WatchEvent::Type::kModified);
  EXPECT_EQ(seen[2].type, kube::WatchEvent::Type::kDeleted);
}

Task<void> watches_of_the_future_see_it(ClientPtr client, std::string ns) {
  const auto version = (co_await client->list(types::config_maps(), ns, {})).resource_version;
  auto later = [](ClientPtr c, std::string in) -> Task<void> {
    co_await async::sleep_for(std::chrono::milliseconds(30));
    co_await c->create(types::config_maps(), config_map(in, "later"));
  };
  auto scope = co_await async::Scope::create();
  scope.spawn(later(client, ns));
  const auto seen = co_await events(client, ns, version, "", 1);
  EXPECT_EQ(kube::key_of(seen[0].object).name, "later");
  co_await scope.join();
}

Task<void> string_data(ClientPtr client, std::string ns) {
  const auto made = co_await client->create(
      types::secrets(), {{"metadata", {{"namespace", ns}, {"name", "s"}}}, {"stringData", {{"k", "v"}}}});
  EXPECT_EQ(string_at(made, "data.k"), "dg==");
  EXPECT_FALSE(made.contains("stringData"));
  EXPECT_EQ(string_at(made, "type"), "Opaque");
}

Task<void> service_addresses(ClientPtr client, std::string ns) {
  const auto spec = parse_yaml_one("{selector: {a: b}, ports: [{port: 80}]}");
  const auto made =
      co_await client->create(types::services(), {{"metadata", {{"namespace", ns}, {"name", "s"}}}, {"spec", spec}});
  EXPECT_NE(string_at(made, "spec.clusterIP"), "");
  EXPECT_EQ(string_at(made, "spec.type"), "ClusterIP");
  EXPECT_EQ(int_at(array_at(made, "spec.ports")[0], "targetPort"), 80);
  EXPECT_EQ(string_at(array_at(made, "spec.ports")[0], "protocol"), "TCP");
}

Task<void> default_account(ClientPtr client, std::string ns) {
  EXPECT_TRUE(co_await kube::wait_until(client, types::service_accounts(), {ns, "default"}, std::chrono::seconds(10),
                                        [](const auto& object) { return object.has_value(); }));
  EXPECT_TRUE(co_await kube::wait_until(client, types::config_maps(), {ns, "kube-root-ca.crt"},
                                        std::chrono::seconds(10),
                                        [](const auto& object) { return object.has_value(); }));
}

Task<void> token_secrets(ClientPtr client, std::string ns) {
  co_await client->create(types::service_accounts(), {{"metadata", {{"namespace", ns}, {"name", "robot"}}}});
  co_await client->create(
      types::secrets(),
      {{"metadata",
        {{"namespace", ns}, {"name", "t"}, {"annotations", {{"kubernetes.io/service-account.name", "robot"}}}}},
       {"type", "kubernetes.io/service-account-token"}});
  EXPECT_TRUE(co_await kube::wait_until(
      client, types::secrets(), {ns, "t"}, std::chrono::seconds(10),
      [](const auto& object) { return object && !string_at(*object, "data.token").empty(); }));
}

Task<void> token_requests(ClientPtr client, std::string ns) {
  co_await client->create(types::service_accounts(), {{"metadata", {{"namespace", ns}, {"name", "robot"}}}});
  const auto answer = co_await client->raw(
      "POST", "/api/v1/namespaces/" + ns + "/serviceaccounts/robot/token",
      parse_json(
          R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}})"));
  EXPECT_NE(string_at(answer, "status.token"), "");
  EXPECT_TRUE(parse_rfc3339(string_at(answer, "status.expirationTimestamp")));
}

Task<void> owners(ClientPtr client, std::string ns) {
  const auto owner = co_await client->create(types::config_maps(), config_map(ns, "owner"));
  auto dependent = config_map(ns, "dependent");
  dependent["metadata"]["ownerReferences"] =
      Json::array({{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "owner"}, {"uid", kube::uid_of(owner)}}});
  co_await client->create(types::config_maps(), dependent);
  co_await client->remove(types::config_maps(), {ns, "owner"});
  EXPECT_TRUE(co_await kube::wait_until(client, types::config_maps(), {ns, "dependent"}, std::chrono::seconds(20),
                                        [](const auto& object) { return !object; }));
}

Task<void> workloads_have_pods(ClientPtr client, std::string ns) {
  co_await client->create(types::deployments(), deployment(ns, "d", 2));
  const auto has = [](std::int64_t count) {
    return [count](const std::optional<Json>& object) {
      return object && int_at(*object, "status.replicas").value_or(0) == count;
    };
  };
  EXPECT_TRUE(co_await kube::wait_until(client, types::deployments(), {ns, "d"}, std::chrono::seconds(20), has(2)));
  co_await client->patch(types::deployments(), {ns, "d"}, PatchKind::kMerge, parse_json(R"({"spec":{"replicas":0}})"));
  EXPECT_TRUE(co_await kube::wait_until(client, types::deployments(), {ns, "d"}, std::chrono::seconds(60), has(0)));
}

Task<void> scaling(ClientPtr client, std::string ns) {
  co_await client->create(types::deployments(), deployment(ns, "d", 0));
  const auto target = "/apis/apps/v1/namespaces/" + ns + "/deployments/d/scale";
  for (bool written = false; !written;) {  // A Deployment's own controller writes its status meanwhile.
    auto scale = co_await client->raw("GET", target);
    EXPECT_EQ(string_at(scale, "kind"), "Scale");
    scale["spec"]["replicas"] = 1;
    try {
      co_await client->raw("PUT", target, scale);
      written = true;
    } catch (const Error& error) {
      if (error.code() != Code::kConflict) throw;
    }
  }
  EXPECT_EQ(int_at(*co_await client->get(types::deployments(), {ns, "d"}), "spec.replicas"), 1);
}

Task<void> discovery_finds(ClientPtr client, std::string) {
  const auto discovery = co_await client->discovery(kube::Client::Refresh::kYes);
  for (const auto* name : {"pods", "po", "deploy", "deployments.apps", "Service", "crd", "cronjob"})
    EXPECT_NE(discovery->find_name(name), nullptr) << name;
  EXPECT_EQ(discovery->find_name("frobs"), nullptr);
  EXPECT_FALSE(discovery->find_name("namespaces")->type.namespaced);
}

Task<void> reviews(ClientPtr client, std::string ns) {
  const Json review = {
      {"apiVersion", "authorization.k8s.io/v1"},
      {"kind", "SelfSubjectAccessReview"},
      {"spec", {{"resourceAttributes", {{"verb", "delete"}, {"resource", "pods"}, {"namespace", ns}}}}}};
  EXPECT_TRUE(bool_at(co_await client->create(types::self_subject_access_reviews(), review), "status.allowed"));
}

/// A definition of the case's own group, and its type.
kube::ResourceType widget_type(const std::string& ns) { return {ns + ".example.com", "v1", "widgets", "Widget"}; }

Task<void> define_widgets(ClientPtr client, std::string ns) {
  const auto type = widget_type(ns);
  auto definition = parse_yaml_one(R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
spec:
  scope: Namespaced
  names: {kind: Widget, listKind: WidgetList, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, maximum: 10}
              colour: {type: string, default: red, enum: [red, blue]}
              name: {type: string, maxLength: 5, pattern: "^[a-z]*$"}
              tags: {type: array, items: {type: string}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
)");
  definition["metadata"]["name"] = "widgets." + type.group;
  definition["spec"]["group"] = type.group;
  co_await client->create(types::custom_resource_definitions(), definition);
  const auto established = [](const std::optional<Json>& object) {
    return object && std::ranges::any_of(array_at(*object, "status.conditions"), [](const Json& c) {
             return string_at(c, "type") == "Established" && string_at(c, "status") == "True";
           });
  };
  if (!co_await kube::wait_until(client, types::custom_resource_definitions(), {"", "widgets." + type.group},
                                 std::chrono::seconds(20), established))
    throw Error(Code::kTimeout, "not established");
  // Established is said a moment before the kind is served.
  for (int i = 0; i < 100 && (co_await client->list(type, ns, {})).resource_version.empty(); ++i)
    co_await async::sleep_for(std::chrono::milliseconds(50));
}

Task<void> with_widgets(ClientPtr client, std::string ns,
                        std::function<Task<void>(ClientPtr, std::string, kube::ResourceType)> use) {
  co_await define_widgets(client, ns);
  std::exception_ptr failure;
  try {
    co_await use(client, ns, widget_type(ns));
  } catch (...) {  // The definition goes first.
    failure = std::current_exception();
  }
  co_await client->remove(types::custom_resource_definitions(), {"", "widgets." + widget_type(ns).group});
  if (failure) std::rethrow_exception(failure);
}

Json widget(const std::string& ns, const kube::ResourceType& type, const std::string& name, const char* spec) {
  return {{"apiVersion", type.api_version()},
          {"kind", "Widget"},
          {"metadata", {{"namespace", ns}, {"name", name}}},
          {"spec", parse_yaml_one(spec)}};
}

Task<void> custom_resources(ClientPtr client, std::string ns) {
  auto use = [](ClientPtr c, std::string in, kube::ResourceType type) -> Task<void> {
    const auto made = co_await c->create(type, widget(in, type, "w", "{size: 3, unknown: 1, free: {any: thing}}"));
    EXPECT_EQ(string_at(made, "spec.colour"), "red");
    EXPECT_FALSE(made["spec"].contains("unknown"));
    EXPECT_EQ(string_at(made, "spec.free.any"), "thing");
    EXPECT_EQ(int_at(made, "metadata.generation"), 1);
    EXPECT_EQ((co_await c->list(type, in, {})).items.size(), 1u);
    const auto patched = co_await c->patch(type, {in, "w"}, PatchKind::kMerge, parse_json(R"({"spec":{"size":4}})"));
    EXPECT_EQ(int_at(patched, "metadata.generation"), 2);
    EXPECT_EQ(co_await code_of(c->patch(type, {in, "w"}, PatchKind::kStrategic, parse_json(R"({"spec":{"size":5}})"))),
              Code::kInvalid);
    EXPECT_TRUE(co_await c->remove(type, {in, "w"}));
  };
  return with_widgets(client, ns, use);
}

Task<void> custom_validation(ClientPtr client, std::string ns) {
  auto use = [](ClientPtr c, std::string in, kube::ResourceType type) -> Task<void> {
    for (const auto* bad :
         {"{}", "{size: big}", "{size: 0}", "{size: 11}", "{size: 1, colour: green}", "{size: 1, name: toolong}",
          "{size: 1, name: UP}", "{size: 1, tags: [1]}", "{size: 1, tags: one}"}) {
      EXPECT_EQ(co_await code_of(c->create(type, widget(in, type, "w", bad))), Code::kInvalid) << bad;
    }
    for (const auto* good : {"{size: 1}", "{size: 10, colour: blue, name: abc, tags: [a, b]}"}) {
      co_await c->create(type, widget(in, type, "w", good));
      co_await c->remove(type, {in, "w"});
    }
  };
  return with_widgets(client, ns, use);
}

Task<void> unknown_kinds(ClientPtr client, std::string ns) {
  const kube::ResourceType none{"nothing.example.com", "v1", "nothings", "Nothing"};
  EXPECT_EQ(co_await client->get(none, {ns, "a"}), std::nullopt);
  EXPECT_EQ(co_await code_of(client->create(none, {{"metadata", {{"namespace", ns}, {"name", "a"}}}})),
            Code::kNotFound);
}

/// Another client, as a service account of the namespace that may only read config maps there.
Task<ClientPtr> reader(ClientPtr client, std::string ns, kube::Connection connection) {
  co_await client->create(types::service_accounts(), {{"metadata", {{"namespace", ns}, {"name", "reader"}}}});
  co_await client->create(
      types::roles(), {{"metadata", {{"namespace", ns}, {"name", "reader"}}},
                       {"rules", parse_yaml_one("[{apiGroups: [''], resources: [configmaps], verbs: [get, list]}]")}});
  auto binding = parse_yaml_one(
      "{roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: ServiceAccount, "
      "name: reader}]}");
  binding["metadata"] = {{"namespace", ns}, {"name", "reader"}};
  binding["subjects"][0]["namespace"] = ns;
  co_await client->create(types::role_bindings(), binding);
  const auto answer = co_await client->raw(
      "POST", "/api/v1/namespaces/" + ns + "/serviceaccounts/reader/token",
      parse_json(
          R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}})"));
  connection.token = Secret(string_at(answer, "status.token"));
  connection.client_cert_pem.clear();
  connection.client_key_pem = Secret();
  co_return kube::make_client(connection);
}

}  // namespace

const std::vector<Case>& conformance_cases() {
  static const std::vector<Case> cases = {{"GivesObjectsAnIdentity", identity},
                                          {"RefusesASecondObjectOfAName", create_twice},
                                          {"MakesNamesFromGenerateName", generated_names},
                                          {"ChecksNames", names_are_checked},
                                          {"NeedsTheNamespace", absent_namespace},
                                          {"SaysNotFound", absent_objects},
                                          {"RefusesStaleUpdates", stale_updates},
                                          {"WritesNothingWithoutAChange", updates_without_a_change},
                                          {"KeepsIdentityImmutable", identity_is_immutable},
                                          {"MergesMergePatches", merge_patches},
                                          {"AppliesJsonPatches", json_patches},
                                          {"AppliesStrategicPatches", strategic_patches},
                                          {"CountsGenerations", generations},
                                          {"KeepsStatusApart", status_apart},
                                          {"StoresNothingInADryRun", dry_runs},
                                          {"SelectsByLabels", label_selectors},
                                          {"SelectsByFields", field_selectors},
                                          {"PagesLists", paging},
                                          {"RefusesBadContinueTokens", bad_continue_tokens},
                                          {"HoldsObjectsWithFinalizers", finalizers},
                                          {"HonoursDeletePreconditions", delete_preconditions},
                                          {"DeletesCollectionsBySelector", delete_collections},
                                          {"WatchesTellEveryChange", watches},
                                          {"WatchesShowWhatComesIntoView", watches_with_selectors},
                                          {"WatchesWaitForChanges", watches_of_the_future_see_it},
                                          {"EncodesStringData", string_data},
                                          {"GivesServicesAddresses", service_addresses},
                                          {"GivesNamespacesADefaultAccount", default_account},
                                          {"FillsTokenSecrets", token_secrets},
                                          {"GivesTokensOnRequest", token_requests},
                                          {"CollectsDependents", owners},
                                          {"GivesWorkloadsPods", workloads_have_pods},
                                          {"ScalesBySubresource", scaling},
                                          {"DiscoversKindsByAnyName", discovery_finds},
                                          {"ReviewsAccess", reviews},
                                          {"ServesCustomResources", custom_resources},
                                          {"ValidatesCustomResources", custom_validation},
                                          {"KnowsWhatItDoesNotServe", unknown_kinds}};
  return cases;
}

Task<void> run_case(ClientPtr client, Case what) {
  const auto ns = "conformance-" + name_suffix(system_rng(), 8);
  co_await client->create(types::namespaces(), {{"metadata", {{"name", ns}}}});
  std::exception_ptr failure;
  try {
    co_await what.run(client, ns);
  } catch (...) {  // The namespace goes first.
    failure = std::current_exception();
  }
  co_await client->remove(types::namespaces(), {"", ns});
  if (failure) std::rethrow_exception(failure);
}

Task<void> run_access_case(ClientPtr admin, kube::Connection connection) {
  const auto ns = "conformance-" + name_suffix(system_rng(), 8);
  co_await admin->create(types::namespaces(), {{"metadata", {{"name", ns}}}});
  const auto client = co_await reader(admin, ns, std::move(connection));
  EXPECT_NO_THROW(co_await client->list(types::config_maps(), ns, {}));
  EXPECT_EQ(co_await code_of(client->create(types::config_maps(), config_map(ns, "a"))), Code::kForbidden);
  auto list = [](ClientPtr c, kube::ResourceType type, std::string in) -> Task<Json> {
    co_await c->list(type, in, {});
    co_return Json();
  };
  EXPECT_EQ(co_await code_of(list(client, types::secrets(), ns)), Code::kForbidden);
  EXPECT_EQ(co_await code_of(list(client, types::config_maps(), "default")), Code::kForbidden);
  co_await admin->remove(types::namespaces(), {"", ns});
}

}  // namespace mtc::sandbox::testing
