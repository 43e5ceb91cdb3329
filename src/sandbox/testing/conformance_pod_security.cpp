#include "sandbox/testing/helpers.hpp"

// Pod Security admission, where a namespace enforces a level.
namespace mtc::sandbox::testing {
namespace {

constexpr auto kLevel = "pod-security.kubernetes.io/enforce";

/// What a pod of one container "a" is told, dry; "" = it is let in.
Task<std::string> told(Server s, std::string level, std::string container, std::string spec = "{}") {
  const Json patch = {{"metadata", {{"labels", {{kLevel, level}}}}}};
  co_await s.client->patch(types::namespaces(), {"", s.ns}, PatchKind::kMerge, patch);
  auto pod = named(s, "p", "{spec: {containers: [{name: a, image: 'lab.mtc/pause:1'}]}}");
  pod["spec"].update(parse_yaml_one(spec));
  pod["spec"]["containers"][0].update(parse_yaml_one(container));
  const auto failure = co_await failure_of(s.client->create(types::pods(), pod, {.dry_run = kube::DryRun::kYes}));
  if (!failure) co_return "";
  EXPECT_EQ(failure->code(), Code::kForbidden);
  const std::string_view all = failure->what();
  const auto begin = all.find(R"(pods "p" is forbidden: violates PodSecurity ")" + level + R"(:latest": )");
  EXPECT_NE(begin, std::string_view::npos) << all;
  const auto colon = begin == std::string_view::npos ? begin : all.find(":latest\": ", begin);
  co_return std::string(colon == std::string_view::npos ? all
                                                        : all.substr(colon + std::string_view(":latest\": ").size()));
}

constexpr auto kTight =
    "{securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}, "
    "capabilities: {drop: [ALL]}}}";

Task<void> restricted(Server s) {
  EXPECT_EQ(co_await told(s, "restricted", "{}"),
            "allowPrivilegeEscalation != false (container \"a\" must set "
            "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"a\" must set "
            "securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"a\" must set "
            "securityContext.runAsNonRoot=true), seccompProfile (pod or container \"a\" must set "
            "securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")");
  EXPECT_EQ(co_await told(s, "restricted", kTight), "");
  EXPECT_EQ(co_await told(s, "restricted",
                          "{securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}",
                          "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}}"),
            "");
}

Task<void> restricted_root(Server s) {
  EXPECT_EQ(co_await told(s, "restricted",
                          "{securityContext: {allowPrivilegeEscalation: false, runAsUser: 0, runAsNonRoot: true, "
                          "seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL], add: [MKNOD, CHOWN]}}}"),
            "unrestricted capabilities (container \"a\" must not include \"CHOWN\", \"MKNOD\" in "
            "securityContext.capabilities.add), runAsUser=0 (container \"a\" must not set runAsUser=0)");
}

Task<void> restricted_volumes(Server s) {
  EXPECT_EQ(
      co_await told(s, "restricted", kTight, "{volumes: [{name: h, hostPath: {path: /}}, {name: e, emptyDir: {}}]}"),
      "restricted volume types (volume \"h\" uses restricted volume type \"hostPath\")");
  EXPECT_EQ(co_await told(s, "restricted", kTight,
                          "{volumes: [{name: c, persistentVolumeClaim: {claimName: c}}, {name: s, secret: {secretName: "
                          "s}}]}"),
            "");
}

Task<void> baseline(Server s) {
  EXPECT_EQ(co_await told(s, "baseline", "{securityContext: {runAsUser: 0, capabilities: {add: [CHOWN, MKNOD]}}}"), "");
  EXPECT_EQ(co_await told(s, "baseline", "{securityContext: {capabilities: {add: [CHOWN, NET_ADMIN]}}}"),
            "non-default capabilities (container \"a\" must not include \"NET_ADMIN\" in "
            "securityContext.capabilities.add)");
  EXPECT_EQ(co_await told(s, "baseline", "{securityContext: {privileged: true}}"),
            "privileged (container \"a\" must not set securityContext.privileged=true)");
  EXPECT_EQ(co_await told(s, "baseline", "{}", "{volumes: [{name: h, hostPath: {path: /}}]}"),
            "hostPath volumes (volume \"h\")");
  EXPECT_EQ(co_await told(s, "baseline", "{}", "{hostNetwork: true, hostPID: true}"),
            "host namespaces (hostNetwork=true, hostPID=true)");
  EXPECT_EQ(co_await told(s, "baseline", "{ports: [{containerPort: 80, hostPort: 80}]}"),
            "hostPort (container \"a\" uses hostPort 80)");
  EXPECT_EQ(co_await told(s, "baseline", "{securityContext: {seccompProfile: {type: Unconfined}}}"),
            "seccompProfile (container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\")");
}

Task<void> privileged(Server s) {
  EXPECT_EQ(co_await told(s, "privileged", "{securityContext: {privileged: true}}"), "");
}

}  // namespace

Cases pod_security_cases() {
  return {{"RefusesPodsThatAreNotRestricted", restricted},
          {"RefusesRootWhereRestricted", restricted_root},
          {"RefusesVolumesOfTheHostWhereRestricted", restricted_volumes},
          {"RefusesPodsBeyondBaseline", baseline},
          {"LetsPrivilegedPodsIn", privileged}};
}

}  // namespace mtc::sandbox::testing
