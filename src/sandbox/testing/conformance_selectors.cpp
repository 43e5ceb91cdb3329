#include "sandbox/testing/helpers.hpp"

// Label and field selectors of lists.
namespace mtc::sandbox::testing {
namespace {

Task<std::vector<std::string>> found(Server s, kube::ResourceType type, kube::ListOptions options) {
  co_return names_of((co_await s.client->list(type, s.ns, options)).items);
}

using Names = std::vector<std::string>;

Task<void> by_labels(Server s) {
  for (const auto* name : {"a", "b", "c"}) {
    auto object = labelled(config_map(s, name), "name", name);
    co_await s.client->create(types::config_maps(),
                              labelled(object, "group", std::string(name) == "c" ? "two" : "one"));
  }
  const std::vector<std::pair<std::string, Names>> expected = {{"group=one", {"a", "b"}},
                                                               {"group==two", {"c"}},
                                                               {"group!=one,name", {"c"}},
                                                               {"name in (a,c)", {"a", "c"}},
                                                               {"group notin (two),name", {"a", "b"}},
                                                               {"group,name=b", {"b"}},
                                                               {"!group,name", {}},
                                                               {"name=zzz", {}}};
  for (const auto& [selector, names] : expected)
    EXPECT_EQ(co_await found(s, types::config_maps(), {.label_selector = selector}), names) << selector;
}

Task<void> by_absent_labels(Server s) {
  co_await make_map(s, "plain");
  co_await s.client->create(types::config_maps(), labelled(config_map(s, "marked"), "mark", ""));
  EXPECT_EQ(co_await found(s, types::config_maps(), {.label_selector = "!mark"}), Names{"plain"});
  EXPECT_EQ(co_await found(s, types::config_maps(), {.label_selector = "mark"}), Names{"marked"});
  EXPECT_EQ(co_await found(s, types::config_maps(), {.label_selector = "mark="}), Names{"marked"});
}

Task<void> by_numbers(Server s) {
  co_await s.client->create(types::config_maps(), labelled(config_map(s, "small"), "n", "1"));
  co_await s.client->create(types::config_maps(), labelled(config_map(s, "large"), "n", "30"));
  EXPECT_EQ(co_await found(s, types::config_maps(), {.label_selector = "n>2"}), Names{"large"});
  EXPECT_EQ(co_await found(s, types::config_maps(), {.label_selector = "n<2"}), Names{"small"});
}

Task<void> malformed_labels(Server s) {
  for (const auto* selector : {"a in b", "a=b=c", "in (", "a,,b", "=x"})
    EXPECT_EQ(co_await code_of(s.client->list(types::config_maps(), s.ns, {.label_selector = selector})),
              Code::kInvalid)
        << selector;
}

Task<void> by_name(Server s) {
  co_await make_map(s, "a");
  co_await make_map(s, "b");
  EXPECT_EQ(co_await found(s, types::config_maps(), {.field_selector = "metadata.name=a"}), Names{"a"});
  EXPECT_EQ(co_await found(s, types::config_maps(), {.field_selector = "metadata.name==b"}), Names{"b"});
  EXPECT_EQ(
      co_await found(s, types::config_maps(), {.field_selector = "metadata.name!=a,metadata.name!=kube-root-ca.crt"}),
      Names{"b"});
}

Task<void> by_namespace(Server s) {
  co_await make_map(s, "a");
  const kube::ListOptions here{.field_selector = "metadata.namespace=" + s.ns};
  EXPECT_EQ(names_of((co_await s.client->list(types::config_maps(), "", here)).items), Names{"a"});
}

Task<void> by_type(Server s) {
  co_await s.client->create(types::secrets(), named(s, "opaque", "{data: {}}"));
  co_await s.client->create(types::secrets(), named(s, "own", "{type: example.com/own}"));
  EXPECT_EQ(co_await found(s, types::secrets(), {.field_selector = "type=example.com/own"}), Names{"own"});
  EXPECT_EQ(co_await found(s, types::secrets(), {.field_selector = "type=Opaque"}), Names{"opaque"});
}

Task<void> of_pods(Server s) {
  co_await s.client->create(types::pods(), named(s, "p",
                                                 "{spec: {nodeSelector: {no: node}, restartPolicy: Never, "
                                                 "terminationGracePeriodSeconds: 0, containers: [{name: a, image: "
                                                 "'lab.mtc/pause:1'}]}}"));
  EXPECT_EQ(co_await found(s, types::pods(), {.field_selector = "spec.restartPolicy=Never"}), Names{"p"});
  EXPECT_EQ(co_await found(s, types::pods(), {.field_selector = "spec.restartPolicy=Always"}), Names{});
  EXPECT_EQ(co_await found(s, types::pods(), {.field_selector = "status.phase=Failed"}), Names{});
}

Task<void> unknown_fields(Server s) {
  EXPECT_EQ(co_await code_of(s.client->list(types::config_maps(), s.ns, {.field_selector = "data.k=v"})),
            Code::kInvalid);
  EXPECT_EQ(co_await code_of(s.client->list(types::pods(), s.ns, {.field_selector = "spec.priority=1"})),
            Code::kInvalid);
}

Task<void> malformed_fields(Server s) {
  EXPECT_EQ(co_await code_of(s.client->list(types::config_maps(), s.ns, {.field_selector = "metadata.name"})),
            Code::kInvalid);
}

Task<void> both(Server s) {
  co_await s.client->create(types::config_maps(), labelled(config_map(s, "a"), "l", "x"));
  co_await s.client->create(types::config_maps(), labelled(config_map(s, "b"), "l", "x"));
  EXPECT_EQ(co_await found(s, types::config_maps(), {.label_selector = "l=x", .field_selector = "metadata.name=b"}),
            Names{"b"});
}

}  // namespace

Cases selector_cases() {
  return {{"SelectsByLabels", by_labels},
          {"SelectsByAbsentLabels", by_absent_labels},
          {"SelectsByNumbers", by_numbers},
          {"RefusesMalformedLabelSelectors", malformed_labels},
          {"SelectsByName", by_name},
          {"SelectsByNamespace", by_namespace},
          {"SelectsSecretsByType", by_type},
          {"SelectsPodsByFields", of_pods},
          {"RefusesFieldsThatAreNotSelectable", unknown_fields},
          {"RefusesMalformedFieldSelectors", malformed_fields},
          {"SelectsByLabelsAndFields", both}};
}

}  // namespace mtc::sandbox::testing
