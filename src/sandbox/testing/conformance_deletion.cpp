#include "sandbox/testing/helpers.hpp"

// How objects go: finalizers, owners, collections, namespaces.
namespace mtc::sandbox::testing {
namespace {

bool is_gone(const std::optional<Json>& object) { return !object; }
bool is_leaving(const Json& object) { return !string_at(object, "metadata.deletionTimestamp").empty(); }

Task<Json> make_held(Server s, std::string name) {
  auto object = config_map(s, name);
  object["metadata"]["finalizers"] = {"example.com/hold"};
  co_return co_await s.client->create(types::config_maps(), object);
}

Task<void> release(Server s, std::string name) {
  co_await patch_map(s, name, PatchKind::kMerge, "{metadata: {finalizers: null}}");
}

Task<void> finalizers(Server s) {
  co_await make_held(s, "a");
  EXPECT_TRUE(co_await s.client->remove(types::config_maps(), {s.ns, "a"}));
  EXPECT_TRUE(is_leaving(co_await read_map(s, "a")));
  co_await release(s, "a");
  EXPECT_EQ(co_await s.client->get(types::config_maps(), {s.ns, "a"}), std::nullopt);
}

Task<void> changes_while_leaving(Server s) {
  co_await make_held(s, "a");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  EXPECT_EQ(string_at(co_await patch_map(s, "a", PatchKind::kMerge, "{data: {k: v}}"), "data.k"), "v");
  co_await release(s, "a");
}

Task<void> no_new_finalizers(Server s) {
  co_await make_held(s, "a");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  EXPECT_EQ(co_await code_of(
                patch_map(s, "a", PatchKind::kMerge, "{metadata: {finalizers: [example.com/hold, example.com/more]}}")),
            Code::kInvalid);
  co_await release(s, "a");
}

Task<void> a_second_deletion_changes_nothing(Server s) {
  co_await make_held(s, "a");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  const auto leaving = co_await read_map(s, "a");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  EXPECT_EQ(co_await read_map(s, "a"), leaving);
  co_await release(s, "a");
}

Task<void> no_way_back(Server s) {
  co_await make_held(s, "a");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  co_await patch_map(s, "a", PatchKind::kMerge, "{metadata: {deletionTimestamp: null}}");
  EXPECT_TRUE(is_leaving(co_await read_map(s, "a")));
  co_await release(s, "a");
}

Task<void> leaving_objects_keep_their_names(Server s) {
  co_await make_held(s, "a");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  EXPECT_EQ(co_await code_of(make_map(s, "a")), Code::kAlreadyExists);
  co_await release(s, "a");
}

Task<void> answers(Server s) {
  const auto made = co_await make_map(s, "a");
  const auto status = co_await s.client->raw("DELETE", path_of(s, types::config_maps()) + "/a");
  EXPECT_EQ(string_at(status, "status"), "Success");
  EXPECT_EQ(string_at(status, "details.name"), "a");
  EXPECT_EQ(string_at(status, "details.kind"), "configmaps");
  EXPECT_EQ(string_at(status, "details.uid"), kube::uid_of(made));
}

Task<void> answers_of_held_objects(Server s) {
  co_await make_held(s, "a");
  const auto object = co_await s.client->raw("DELETE", path_of(s, types::config_maps()) + "/a");
  EXPECT_EQ(string_at(object, "kind"), "ConfigMap");
  EXPECT_TRUE(is_leaving(object));
  co_await release(s, "a");
}

Task<void> collections(Server s) {
  for (const auto* name : {"a", "b"})
    co_await s.client->create(types::config_maps(), labelled(config_map(s, name), "name", name));
  co_await s.client->remove_collection(types::config_maps(), s.ns, {.label_selector = "name=a"});
  EXPECT_EQ(co_await s.client->get(types::config_maps(), {s.ns, "a"}), std::nullopt);
  EXPECT_TRUE(co_await s.client->get(types::config_maps(), {s.ns, "b"}));
}

Task<void> whole_collections(Server s) {
  for (const auto* name : {"a", "b"}) co_await s.client->create(types::secrets(), named(s, name, "{}"));
  co_await s.client->remove_collection(types::secrets(), s.ns, {});
  EXPECT_TRUE((co_await s.client->list(types::secrets(), s.ns, {})).items.empty());
}

Json owner_of(const Json& object) {
  return {
      {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", kube::key_of(object).name}, {"uid", kube::uid_of(object)}};
}

Task<void> make_dependent(Server s, std::string name, Json owners) {
  auto object = config_map(s, name);
  object["metadata"]["ownerReferences"] = std::move(owners);
  co_await s.client->create(types::config_maps(), object);
}

Task<void> background(Server s) {
  const auto owner = co_await make_map(s, "owner");
  co_await make_dependent(s, "dependent", Json::array({owner_of(owner)}));
  co_await s.client->remove(types::config_maps(), {s.ns, "owner"});
  EXPECT_EQ(co_await s.client->get(types::config_maps(), {s.ns, "owner"}), std::nullopt);
  co_await until(s, types::config_maps(), "dependent", is_gone);
}

Task<void> foreground(Server s) {
  const auto owner = co_await make_map(s, "owner");
  auto reference = owner_of(owner);
  reference["blockOwnerDeletion"] = true;
  auto held = config_map(s, "dependent");
  held["metadata"]["ownerReferences"] = Json::array({reference});
  held["metadata"]["finalizers"] = {"example.com/hold"};
  co_await s.client->create(types::config_maps(), held);
  co_await s.client->remove(types::config_maps(), {s.ns, "owner"}, {.propagation = kube::Propagation::kForeground});
  co_await until(s, types::config_maps(), "dependent",
                 [](const auto& object) { return object && is_leaving(*object); });
  const auto waiting = co_await read_map(s, "owner");
  EXPECT_TRUE(is_leaving(waiting));
  EXPECT_EQ(strings_at(waiting, "metadata.finalizers"), std::vector<std::string>{"foregroundDeletion"});
  co_await release(s, "dependent");
  co_await until(s, types::config_maps(), "owner", is_gone);
}

Task<void> orphans(Server s) {
  const auto owner = co_await make_map(s, "owner");
  co_await make_dependent(s, "dependent", Json::array({owner_of(owner)}));
  co_await s.client->remove(types::config_maps(), {s.ns, "owner"}, {.propagation = kube::Propagation::kOrphan});
  co_await until(s, types::config_maps(), "owner", is_gone);
  EXPECT_EQ(find(co_await read_map(s, "dependent"), "metadata.ownerReferences"), nullptr);
}

Task<void> two_owners(Server s) {
  const auto one = co_await make_map(s, "one"), two = co_await make_map(s, "two");
  co_await make_dependent(s, "dependent", Json::array({owner_of(one), owner_of(two)}));
  co_await make_dependent(s, "of-one", Json::array({owner_of(one)}));
  co_await s.client->remove(types::config_maps(), {s.ns, "one"});
  co_await until(s, types::config_maps(), "of-one", is_gone);
  EXPECT_TRUE(co_await s.client->get(types::config_maps(), {s.ns, "dependent"}));
  co_await s.client->remove(types::config_maps(), {s.ns, "two"});
  co_await until(s, types::config_maps(), "dependent", is_gone);
}

Task<void> absent_owners(Server s) {
  co_await make_dependent(s, "dependent",
                          parse_yaml_one("[{apiVersion: v1, kind: ConfigMap, name: never, uid: "
                                         "11111111-1111-1111-1111-111111111111}]"));
  co_await until(s, types::config_maps(), "dependent", is_gone);
}

Task<void> owners_need_a_uid(Server s) {
  EXPECT_EQ(co_await code_of(make_dependent(s, "dependent",
                                            parse_yaml_one("[{apiVersion: v1, kind: ConfigMap, name: a, uid: ''}]"))),
            Code::kInvalid);
}

Task<void> chains(Server s) {
  const auto first = co_await make_map(s, "first");
  co_await make_dependent(s, "second", Json::array({owner_of(first)}));
  co_await make_dependent(s, "third", Json::array({owner_of(co_await read_map(s, "second"))}));
  co_await s.client->remove(types::config_maps(), {s.ns, "first"});
  co_await until(s, types::config_maps(), "third", is_gone);
}

/// Another namespace than the case's own, with a held object in it.
Task<Server> other_namespace(Server s) {
  s.ns += "-2";
  co_await s.client->create(types::namespaces(), {{"metadata", {{"name", s.ns}}}});
  co_await make_held(s, "held");
  co_return s;
}

Task<void> namespaces_empty(Server s) {
  const auto other = co_await other_namespace(s);
  co_await make_map(other, "free");
  co_await s.client->remove(types::namespaces(), {"", other.ns});
  co_await until(other, types::config_maps(), "free", is_gone);
  const auto held = co_await kube::must_get(*s.client, types::namespaces(), {"", other.ns});
  EXPECT_EQ(string_at(held, "status.phase"), "Terminating");
  co_await release(other, "held");
  co_await until(other, types::namespaces(), other.ns, is_gone);
}

Task<void> terminating_namespaces(Server s) {
  const auto other = co_await other_namespace(s);
  co_await s.client->remove(types::namespaces(), {"", other.ns});
  const auto failure = co_await failure_of(make_map(other, "late"));
  if (!failure) throw Error(Code::kInternal, "a terminating namespace took an object");
  EXPECT_EQ(failure->code(), Code::kForbidden);
  EXPECT_TRUE(failure->message().contains("because it is being terminated")) << failure->message();
  co_await release(other, "held");
  co_await until(other, types::namespaces(), other.ns, is_gone);
}

Task<void> namespaces_are_named(Server s) {
  const auto object = co_await kube::must_get(*s.client, types::namespaces(), {"", s.ns});
  EXPECT_EQ(kube::label(object, "kubernetes.io/metadata.name"), s.ns);
  EXPECT_EQ(string_at(object, "status.phase"), "Active");
  EXPECT_EQ(strings_at(object, "spec.finalizers"), std::vector<std::string>{"kubernetes"});
}

Task<void> namespace_names_are_labels(Server s) {
  EXPECT_EQ(co_await code_of(s.client->create(types::namespaces(), {{"metadata", {{"name", s.ns + ".dot"}}}})),
            Code::kInvalid);
}

}  // namespace

Cases deletion_cases() {
  return {{"HoldsObjectsWithFinalizers", finalizers},
          {"LetsLeavingObjectsChange", changes_while_leaving},
          {"GivesLeavingObjectsNoFinalizers", no_new_finalizers},
          {"LetsNoLeavingObjectStay", no_way_back},
          {"KeepsNamesOfLeavingObjects", leaving_objects_keep_their_names},
          {"AnswersDeletionsWithAStatus", answers},
          {"AnswersDeletionsWithHeldObjects", answers_of_held_objects},
          {"DeletesCollectionsBySelector", collections},
          {"IsNotChangedByASecondDeletion", a_second_deletion_changes_nothing},
          {"DeletesWholeCollections", whole_collections},
          {"CollectsDependents", background},
          {"WaitsForDependentsInTheForeground", foreground},
          {"OrphansDependents", orphans},
          {"KeepsDependentsOfAnotherOwner", two_owners},
          {"CollectsDependentsOfNobody", absent_owners},
          {"NeedsUidsOfOwners", owners_need_a_uid},
          {"CollectsChains", chains},
          {"EmptiesNamespaces", namespaces_empty},
          {"FillsNoTerminatingNamespaces", terminating_namespaces},
          {"NamesNamespacesByLabel", namespaces_are_named},
          {"ChecksNamesOfNamespaces", namespace_names_are_labels}};
}

}  // namespace mtc::sandbox::testing
