#include <algorithm>

#include "sandbox/testing/helpers.hpp"

// Role-based access control, and questions about it.
namespace mtc::sandbox::testing {
namespace {

/// What the client's owner may do in the case's namespace.
Task<Json> known_rules(Server s) {
  const Json question = {
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SelfSubjectRulesReview"}, {"spec", {{"namespace", s.ns}}}};
  co_return co_await s.client->raw("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", question);
}

/// A client of account "robot", who may do what `rules` (flow YAML) say in the case's namespace.
Task<Server> robot(Server s, std::string rules) {
  const auto token = co_await account_token(s, "robot");
  co_await grant(s, "robot", rules);
  auto out = s;
  out.client = client_of(s, token);
  // A real server learns of new roles a moment later, and nothing tells when.
  const auto verbs = dump(parse_yaml_one(rules)[0]["verbs"]);
  for (int i = 0; i < 100; ++i) {
    const auto answer = co_await known_rules(out);
    const auto& known = array_at(answer, "status.resourceRules");
    const bool learnt = std::ranges::any_of(known, [&](const Json& rule) {
      return dump(rule["verbs"]) == verbs && !dump(rule["resources"]).contains("reviews");
    });
    if (learnt) break;
    co_await async::sleep_for(std::chrono::milliseconds(20));
  }
  co_return out;
}

Task<bool> may_list(Server s, kube::ResourceType type, std::string ns, kube::ListOptions options = {}) {
  co_return !co_await code_of(s.client->list(type, ns, options));
}

Task<void> roles(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [get, list]}]");
  EXPECT_TRUE(co_await may_list(r, types::config_maps(), s.ns));
  EXPECT_EQ(co_await code_of(make_map(r, "a")), Code::kForbidden);
  EXPECT_FALSE(co_await may_list(r, types::secrets(), s.ns));
  EXPECT_FALSE(co_await may_list(r, types::config_maps(), "default"));
  EXPECT_FALSE(co_await may_list(r, types::config_maps(), ""));
}

Task<void> refusals_explain(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [get]}]");
  const auto failure = co_await failure_of(make_map(r, "a"));
  if (!failure) throw Error(Code::kInternal, "not refused");
  EXPECT_EQ(failure->message(), "configmaps is forbidden: User \"system:serviceaccount:" + s.ns +
                                    ":robot\" cannot create resource \"configmaps\" in API group \"\" in the namespace "
                                    "\"" +
                                    s.ns + "\"");
}

Task<void> refusals_before_absence(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [get]}]");
  EXPECT_EQ(co_await code_of(kube::must_get(*r.client, types::secrets(), {s.ns, "absent"})), Code::kForbidden);
  EXPECT_EQ(co_await code_of(kube::must_get(*r.client, types::config_maps(), {s.ns, "absent"})), Code::kNotFound);
}

Task<void> verbs(Server s) {
  co_await make_map(s, "a");
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [get, patch]}]");
  EXPECT_EQ(co_await code_of(patch_map(r, "a", PatchKind::kMerge, "{data: {k: v}}")), std::nullopt);
  EXPECT_EQ(co_await code_of(r.client->update(types::config_maps(), co_await read_map(s, "a"))), Code::kForbidden);
  EXPECT_EQ(co_await code_of(r.client->remove(types::config_maps(), {s.ns, "a"})), Code::kForbidden);
  EXPECT_EQ(co_await code_of(r.client->remove_collection(types::config_maps(), s.ns, {})), Code::kForbidden);
}

Task<void> wildcards(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]");
  EXPECT_EQ(co_await code_of(make_map(r, "a")), std::nullopt);
  EXPECT_TRUE(co_await may_list(r, types::deployments(), s.ns));
  EXPECT_FALSE(co_await may_list(r, types::namespaces(), ""));
}

Task<void> names(Server s) {
  co_await make_map(s, "mine");
  co_await make_map(s, "other");
  const auto r = co_await robot(
      s, "[{apiGroups: [''], resources: [configmaps], resourceNames: [mine], verbs: [get, list, create]}]");
  EXPECT_EQ(co_await code_of(read_map(r, "mine")), std::nullopt);
  EXPECT_EQ(co_await code_of(read_map(r, "other")), Code::kForbidden);
  EXPECT_FALSE(co_await may_list(r, types::config_maps(), s.ns));
  EXPECT_TRUE(co_await may_list(r, types::config_maps(), s.ns, {.field_selector = "metadata.name=mine"}));
  EXPECT_EQ(co_await code_of(make_map(r, "third")), Code::kForbidden);
}

Task<void> subresources(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  const auto r = co_await robot(s, "[{apiGroups: [apps], resources: [deployments/scale], verbs: [get, patch]}]");
  EXPECT_EQ(co_await code_of(kube::must_get(*r.client, types::deployments(), {s.ns, "d"})), Code::kForbidden);
  EXPECT_EQ(co_await code_of(r.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
                                             parse_yaml_one("{spec: {replicas: 0}}"), {.subresource = "scale"})),
            std::nullopt);
  EXPECT_EQ(co_await code_of(r.client->patch(types::deployments(), {s.ns, "d"}, PatchKind::kMerge,
                                             parse_yaml_one("{status: {}}"), {.subresource = "status"})),
            Code::kForbidden);
}

Task<void> resources_without_subresources(Server s) {
  co_await s.client->create(types::deployments(), deployment(s, "d", 0));
  const auto r = co_await robot(s, "[{apiGroups: [apps], resources: [deployments], verbs: [get, patch]}]");
  EXPECT_EQ(co_await code_of(r.client->raw("GET", path_of(s, types::deployments()) + "/d/scale")), Code::kForbidden);
}

Task<void> applies_need_creation(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [patch]}]");
  const auto* object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";
  EXPECT_EQ(co_await code_of(patch_map(r, "a", PatchKind::kApply, object)), Code::kForbidden);
  co_await make_map(s, "a");
  EXPECT_EQ(co_await code_of(patch_map(r, "a", PatchKind::kApply, object)), std::nullopt);
}

/// Binds a new ClusterRole to the account, cluster-wide or in the case's namespace; both are removed by the case.
Task<void> bind_cluster_role(Server s, std::string rules, bool everywhere) {
  co_await s.client->create(types::cluster_roles(), {{"metadata", {{"name", s.ns}}}, {"rules", parse_yaml_one(rules)}});
  Json binding = {{"metadata", {{"name", s.ns}}},
                  {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", s.ns}}},
                  {"subjects", Json::array({{{"kind", "ServiceAccount"}, {"name", "robot"}, {"namespace", s.ns}}})}};
  if (!everywhere) binding["metadata"]["namespace"] = s.ns;
  co_await s.client->create(everywhere ? types::cluster_role_bindings() : types::role_bindings(), binding);
}

Task<void> unbind_cluster_role(Server s) {
  co_await s.client->remove(types::cluster_role_bindings(), {"", s.ns});
  co_await s.client->remove(types::cluster_roles(), {"", s.ns});
}

/// Asks again until the answer is as expected, or for two seconds: roles are learnt of a moment later.
Task<bool> becomes(Server s, kube::ResourceType type, std::string ns, bool expected) {
  for (int i = 0; i < 100; ++i) {
    if (co_await may_list(s, type, ns) == expected) co_return true;
    co_await async::sleep_for(std::chrono::milliseconds(20));
  }
  co_return false;
}

Task<void> cluster_roles(Server s) {
  auto r = s;
  r.client = client_of(s, co_await account_token(s, "robot"));
  co_await bind_cluster_role(s, "[{apiGroups: [''], resources: [configmaps], verbs: [list]}]", true);
  EXPECT_TRUE(co_await becomes(r, types::config_maps(), "", true));
  EXPECT_TRUE(co_await may_list(r, types::config_maps(), "default"));
  EXPECT_FALSE(co_await may_list(r, types::secrets(), "default"));
  co_await unbind_cluster_role(s);
}

Task<void> cluster_roles_in_a_namespace(Server s) {
  auto r = s;
  r.client = client_of(s, co_await account_token(s, "robot"));
  co_await bind_cluster_role(s, "[{apiGroups: [''], resources: [configmaps], verbs: [list]}]", false);
  EXPECT_TRUE(co_await becomes(r, types::config_maps(), s.ns, true));
  EXPECT_FALSE(co_await may_list(r, types::config_maps(), "default"));
  co_await unbind_cluster_role(s);
}

Task<void> groups(Server s) {
  auto r = s;
  r.client = client_of(s, co_await account_token(s, "robot"));
  co_await s.client->create(types::roles(),
                            named(s, "all", "{rules: [{apiGroups: [''], resources: [configmaps], verbs: [list]}]}"));
  auto binding = named(s, "all", "{roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: all}}");
  binding["subjects"] = Json::array(
      {{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Group"}, {"name", "system:serviceaccounts:" + s.ns}}});
  co_await s.client->create(types::role_bindings(), binding);
  EXPECT_TRUE(co_await becomes(r, types::config_maps(), s.ns, true));
}

Task<void> unbound(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [list]}]");
  EXPECT_TRUE(co_await becomes(r, types::config_maps(), s.ns, true));
  co_await s.client->remove(types::role_bindings(), {s.ns, "robot"});
  EXPECT_TRUE(co_await becomes(r, types::config_maps(), s.ns, false));
}

Task<int> status_of(Server s, std::string path, std::string token) {
  co_return (co_await send(s, "GET", path, {}, "", token)).status;
}

Task<void> paths(Server s) {
  const auto token = co_await account_token(s, "robot");
  EXPECT_EQ(co_await status_of(s, "/version", token), 200);
  EXPECT_EQ(co_await status_of(s, "/apis", token), 200);
  EXPECT_EQ(co_await status_of(s, "/logs/x", token), 403);
  co_await bind_cluster_role(s, "[{nonResourceURLs: ['/logs/*'], verbs: [get]}]", true);
  int status = 403;
  for (int i = 0; i < 100 && status == 403; ++i) {
    status = co_await status_of(s, "/logs/x", token);
    if (status == 403) co_await async::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(status, 404);
  co_await unbind_cluster_role(s);
}

Task<bool> may(Server s, Json spec) {
  const Json review = {
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SelfSubjectAccessReview"}, {"spec", std::move(spec)}};
  co_return bool_at(co_await s.client->create(types::self_subject_access_reviews(), review), "status.allowed");
}

Json about(const Server& s, const char* verb, const char* resource) {
  return {{"resourceAttributes", {{"verb", verb}, {"resource", resource}, {"namespace", s.ns}}}};
}

Task<void> reviews(Server s) {
  EXPECT_TRUE(co_await may(s, about(s, "delete", "pods")));
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [get]}]");
  EXPECT_TRUE(co_await may(r, about(s, "get", "configmaps")));
  EXPECT_FALSE(co_await may(r, about(s, "delete", "configmaps")));
  EXPECT_FALSE(co_await may(r, about(s, "get", "secrets")));
}

Task<void> path_reviews(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [get]}]");
  const auto path = [](const char* text) -> Json {
    return {{"nonResourceAttributes", {{"verb", "get"}, {"path", text}}}};
  };
  EXPECT_TRUE(co_await may(r, path("/healthz")));
  EXPECT_FALSE(co_await may(r, path("/logs/x")));
  EXPECT_TRUE(co_await may(s, path("/logs/x")));
}

Task<void> reviews_of_others(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: [''], resources: [configmaps], verbs: [get]}]");
  auto spec = about(s, "get", "configmaps");
  spec["user"] = "system:serviceaccount:" + s.ns + ":robot";
  const Json review = {
      {"apiVersion", "authorization.k8s.io/v1"}, {"kind", "SubjectAccessReview"}, {"spec", std::move(spec)}};
  const auto* path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  EXPECT_TRUE(bool_at(co_await s.client->raw("POST", path, review), "status.allowed"));
  EXPECT_EQ(co_await code_of(r.client->raw("POST", path, review)), Code::kForbidden);
}

Task<void> rules(Server s) {
  const auto r = co_await robot(s, "[{apiGroups: [apps], resources: [deployments], verbs: [get, list]}]");
  const auto answer = co_await known_rules(r);
  bool found = false;
  for (const auto& rule : array_at(answer, "status.resourceRules"))
    found = found || (dump(rule["resources"]) == R"(["deployments"])" && dump(rule["verbs"]) == R"(["get","list"])");
  EXPECT_TRUE(found) << dump(answer);
}

Task<void> impersonation(Server s) {
  const auto token = co_await account_token(s, "robot");
  const auto path = path_of(s, types::config_maps());
  EXPECT_EQ((co_await send(s, "GET", path, {{"Impersonate-User", "somebody"}})).status, 403);
  EXPECT_EQ(
      (co_await send(s, "GET", path, {{"Impersonate-User", "boss"}, {"Impersonate-Group", "system:masters"}})).status,
      200);
  const auto refused = co_await send(s, "GET", path, {{"Impersonate-User", "boss"}}, "", token);
  EXPECT_EQ(refused.status, 403);
  EXPECT_TRUE(refused.body.contains("cannot impersonate resource")) << refused.body;
}

}  // namespace

Cases access_cases() {
  return {{"FollowsRoles", roles},
          {"ExplainsRefusals", refusals_explain},
          {"RefusesBeforeItLooks", refusals_before_absence},
          {"TellsVerbsApart", verbs},
          {"KnowsWildcardsInRoles", wildcards},
          {"FollowsNamesInRoles", names},
          {"FollowsSubresourcesInRoles", subresources},
          {"GrantsNoSubresourcesWithResources", resources_without_subresources},
          {"NeedsTwoVerbsToCreateByApply", applies_need_creation},
          {"FollowsClusterRoles", cluster_roles},
          {"FollowsClusterRolesInANamespace", cluster_roles_in_a_namespace},
          {"KnowsGroups", groups},
          {"ForgetsWhatIsUnbound", unbound},
          {"FollowsPathsInRoles", paths},
          {"ReviewsAccess", reviews},
          {"ReviewsAccessToPaths", path_reviews},
          {"ReviewsAccessOfOthers", reviews_of_others},
          {"ReviewsRules", rules},
          {"LetsAdministratorsImpersonate", impersonation}};
}

}  // namespace mtc::sandbox::testing
