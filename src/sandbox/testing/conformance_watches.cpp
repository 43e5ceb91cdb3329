#include "sandbox/testing/helpers.hpp"

// Watches: every change once, in order, from where one says.
namespace mtc::sandbox::testing {
namespace {

using Type = WatchEvent::Type;

Task<void> every_change(Server s) {
  const auto version = co_await list_version(s);
  auto object = co_await make_map(s, "a");
  object["data"]["k"] = "v";
  co_await s.client->update(types::config_maps(), object);
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  const auto seen = co_await events(s, {.resource_version = version}, 3);
  EXPECT_EQ(seen[0].type, Type::kAdded);
  EXPECT_EQ(seen[1].type, Type::kModified);
  EXPECT_EQ(seen[2].type, Type::kDeleted);
  EXPECT_EQ(string_at(seen[2].object, "data.k"), "v");
}

Task<void> versions_grow(Server s) {
  const auto version = co_await list_version(s);
  co_await make_map(s, "a");
  co_await patch_map(s, "a", PatchKind::kMerge, "{data: {k: v}}");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  std::uint64_t last = std::stoull(version);
  for (const auto& event : co_await events(s, {.resource_version = version}, 3)) {
    const auto at = std::stoull(kube::resource_version_of(event.object));
    EXPECT_GT(at, last);
    last = at;
  }
}

Task<void> from_a_version(Server s) {
  const auto made = co_await make_map(s, "a");
  co_await make_map(s, "b");
  const auto seen = co_await events(s, {.resource_version = kube::resource_version_of(made)}, 1);
  EXPECT_EQ(kube::key_of(seen[0].object).name, "b");
}

/// The first events of a watch from `version`, when a and b are there.
Task<void> from_what_is_there(Server s, std::string version) {
  co_await make_map(s, "a");
  const auto made = co_await make_map(s, "b");
  // A server may answer from a cache that is a moment behind.
  co_await s.client->raw("GET",
                         path_of(s, types::config_maps()) +
                             "?resourceVersionMatch=NotOlderThan&resourceVersion=" + kube::resource_version_of(made));
  std::vector<std::string> names;
  for (const auto& event : co_await events(s, {.resource_version = version}, 2)) {
    EXPECT_EQ(event.type, Type::kAdded);
    names.push_back(kube::key_of(event.object).name);
  }
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b"}));
}
Task<void> from_zero(Server s) { return from_what_is_there(s, "0"); }
Task<void> from_nothing(Server s) { return from_what_is_there(s, ""); }

Task<void> future_changes(Server s) {
  const auto version = co_await list_version(s);
  auto scope = co_await async::Scope::create();
  const auto watch = co_await s.client->watch(types::config_maps(), s.ns, {.resource_version = version});
  auto later = [](Server server) -> Task<void> { co_await make_map(server, "later"); };
  scope.spawn(later(s));
  std::string name;
  while (name != "later") {
    const auto event = co_await async::with_timeout(kPatience, "the event", watch->next());
    if (!event) throw Error(Code::kInternal, "the watch ended");
    name = kube::key_of(event->object).name;
  }
  co_await scope.join();
}

Task<void> by_labels(Server s) {
  const auto version = co_await list_version(s);
  co_await make_map(s, "a");
  co_await patch_map(s, "a", PatchKind::kMerge, "{metadata: {labels: {in: view}}}");
  co_await patch_map(s, "a", PatchKind::kMerge, "{data: {k: v}}");
  co_await patch_map(s, "a", PatchKind::kMerge, "{metadata: {labels: {in: hiding}}}");
  const auto seen = co_await events(s, {.label_selector = "in=view", .resource_version = version}, 3);
  EXPECT_EQ(seen[0].type, Type::kAdded);
  EXPECT_EQ(seen[1].type, Type::kModified);
  EXPECT_EQ(seen[2].type, Type::kDeleted);
}

Task<void> out_of_view(Server s) {
  co_await s.client->create(types::config_maps(), labelled(config_map(s, "a"), "in", "view"));
  const auto version = co_await list_version(s);
  co_await patch_map(s, "a", PatchKind::kMerge, "{metadata: {labels: {in: hiding}}}");
  co_await s.client->remove(types::config_maps(), {s.ns, "a"});
  co_await s.client->create(types::config_maps(), labelled(config_map(s, "b"), "in", "view"));
  const auto seen = co_await events(s, {.label_selector = "in=view", .resource_version = version}, 2);
  EXPECT_EQ(seen[0].type, Type::kDeleted);
  EXPECT_EQ(kube::label(seen[0].object, "in"), "view");  // as it was last seen
  EXPECT_EQ(kube::key_of(seen[1].object).name, "b");
}

Task<void> by_name(Server s) {
  const auto version = co_await list_version(s);
  co_await make_map(s, "a");
  co_await make_map(s, "b");
  const auto seen = co_await events(s, {.field_selector = "metadata.name=b", .resource_version = version}, 1);
  EXPECT_EQ(kube::key_of(seen[0].object).name, "b");
}

Task<void> by_field(Server s) {
  const auto version = co_await list_version(s, types::secrets());
  co_await s.client->create(types::secrets(), named(s, "opaque", "{}"));
  co_await s.client->create(types::secrets(), named(s, "own", "{type: example.com/own}"));
  const auto seen =
      co_await events(s, {.field_selector = "type=example.com/own", .resource_version = version}, 1, types::secrets());
  EXPECT_EQ(kube::key_of(seen[0].object).name, "own");
}

Task<void> of_lists_alone(Server s) {
  co_await make_map(s, "b");
  const auto answer = co_await send(s, "GET", path_of(s, types::config_maps()) + "/b?watch=true&timeoutSeconds=1");
  EXPECT_EQ(string_at(parse_json(answer.body), "metadata.name"), "b");
}

Task<void> of_all_namespaces(Server s) {
  const auto version = co_await list_version(s);
  co_await make_map(s, "here");
  const auto watch = co_await s.client->watch(types::config_maps(), "", {.resource_version = version});
  for (;;) {
    const auto event = co_await async::with_timeout(kPatience, "the event", watch->next());
    if (!event) throw Error(Code::kInternal, "the watch ended");
    if (kube::key_of(event->object) == kube::ObjectKey{s.ns, "here"}) break;
  }
}

Task<void> no_other_namespace(Server s) {
  const auto version = co_await list_version(s);
  co_await s.client->create(types::config_maps(),
                            {{"metadata", {{"namespace", "default"}, {"name", "elsewhere-" + s.ns}}}});
  co_await make_map(s, "here");
  const auto seen = co_await events(s, {.resource_version = version}, 1);
  EXPECT_EQ(kube::key_of(seen[0].object).name, "here");
  co_await s.client->remove(types::config_maps(), {"default", "elsewhere-" + s.ns});
}

Task<void> end_in_time(Server s) {
  const auto version = co_await list_version(s, types::secrets());
  const auto answer =
      co_await send(s, "GET", path_of(s, types::secrets()) + "?watch=true&timeoutSeconds=1&resourceVersion=" + version);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

Task<void> bookmarks(Server s) {
  const auto version = co_await list_version(s, types::secrets());
  const auto answer =
      co_await send(s, "GET",
                    path_of(s, types::secrets()) +
                        "?watch=true&allowWatchBookmarks=true&timeoutSeconds=5&resourceVersion=" + version);
  const auto lines = lines_of(answer);
  if (lines.empty()) throw Error(Code::kInternal, "no bookmark");
  EXPECT_EQ(string_at(lines.back(), "type"), "BOOKMARK");
  EXPECT_EQ(string_at(lines.back(), "object.kind"), "Secret");
  EXPECT_GE(std::stoull(string_at(lines.back(), "object.metadata.resourceVersion")), std::stoull(version));
}

Task<void> initial_events(Server s) {
  co_await s.client->create(types::secrets(), named(s, "a", "{}"));
  const auto answer = co_await send(s, "GET",
                                    path_of(s, types::secrets()) +
                                        "?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&"
                                        "resourceVersionMatch=NotOlderThan&timeoutSeconds=2");
  const auto lines = lines_of(answer);
  if (lines.size() < 2) throw Error(Code::kInternal, "events are missing: " + answer.body);
  EXPECT_EQ(string_at(lines[0], "type"), "ADDED");
  EXPECT_EQ(string_at(lines[1], "type"), "BOOKMARK");
  EXPECT_EQ(kube::annotation(lines[1]["object"], "k8s.io/initial-events-end"), "true");
}

Task<void> expired(Server s) {
  const auto type = co_await define(s, "{type: object}");
  auto first = [](Server server, kube::ResourceType of) -> Task<void> {
    co_await events(server, {.resource_version = "1"}, 1, of);
  };
  EXPECT_EQ(co_await code_of(first(s, type)), Code::kExpired);
}

Task<void> expiry_is_an_event(Server s) {
  const auto type = co_await define(s, "{type: object}");
  const auto answer = co_await send(s, "GET", path_of(s, type) + "?watch=true&resourceVersion=1&timeoutSeconds=5");
  EXPECT_EQ(answer.status, 200);
  const auto lines = lines_of(answer);
  if (lines.empty()) throw Error(Code::kInternal, "no event");
  EXPECT_EQ(string_at(lines[0], "type"), "ERROR");
  EXPECT_EQ(int_at(lines[0], "object.code"), 410);
}

Task<void> of_custom_resources(Server s) {
  const auto type = co_await define(s, "{type: object, x-kubernetes-preserve-unknown-fields: true}");
  const auto version = co_await list_version(s, type);
  co_await make_widget(s, "w", "{size: 1}");
  co_await s.client->patch(type, {s.ns, "w"}, PatchKind::kMerge, parse_yaml_one("{spec: {size: 2}}"));
  co_await s.client->remove(type, {s.ns, "w"});
  const auto seen = co_await events(s, {.resource_version = version}, 3, type);
  EXPECT_EQ(int_at(seen[1].object, "spec.size"), 2);
  EXPECT_EQ(seen[2].type, Type::kDeleted);
}

Task<void> malformed_versions(Server s) {
  const auto answer =
      co_await send(s, "GET", path_of(s, types::config_maps()) + "?watch=true&timeoutSeconds=1&resourceVersion=soon");
  EXPECT_NE(answer.status, 200);
}

}  // namespace

Cases watch_cases() {
  return {{"WatchesTellEveryChange", every_change},
          {"WatchesNumberEventsUpwards", versions_grow},
          {"WatchesGoOnFromAVersion", from_a_version},
          {"WatchesFromZeroShowWhatIsThere", from_zero},
          {"WatchesWithoutAVersionShowWhatIsThere", from_nothing},
          {"WatchesWaitForChanges", future_changes},
          {"WatchesShowWhatComesIntoView", by_labels},
          {"WatchesShowWhatLeavesTheView", out_of_view},
          {"WatchesByName", by_name},
          {"WatchesByField", by_field},
          {"WatchesListsAlone", of_lists_alone},
          {"WatchesOfAllNamespaces", of_all_namespaces},
          {"WatchesSeeNoOtherNamespace", no_other_namespace},
          {"WatchesEndInTime", end_in_time},
          {"WatchesSendBookmarks", bookmarks},
          {"WatchesMarkTheEndOfInitialEvents", initial_events},
          {"WatchesExpire", expired},
          {"WatchesTellExpiryByAnEvent", expiry_is_an_event},
          {"WatchesOfCustomResources", of_custom_resources},
          {"WatchesRefuseMalformedVersions", malformed_versions}};
}

}  // namespace mtc::sandbox::testing
