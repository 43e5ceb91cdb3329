#include "plan/claim_users.hpp"

#include <gtest/gtest.h>

#include "json/yaml.hpp"

namespace mtc::plan {
namespace {

Json object(const std::string& yaml) {
  auto out = parse_yaml_one(yaml);
  if (!out["metadata"].contains("namespace")) out["metadata"]["namespace"] = "shop";
  return out;
}

std::string template_with(const std::string& claim) {
  return "spec: {template: {spec: {volumes: [{name: v, persistentVolumeClaim: {claimName: " + claim + "}}]}}}";
}

Json running_pod(const std::string& name, const std::string& owners, const std::string& claim) {
  return object("{kind: Pod, metadata: {name: " + name + ", ownerReferences: [" + owners +
                "]}, status: {phase: Running}, spec: {volumes: [{name: v, persistentVolumeClaim: {claimName: " + claim +
                "}}]}}");
}

TEST(ClaimUsers, AreTheWorkloadsAtTheTop) {
  const ClaimUsers users(
      {.pods = {running_pod("web-1-x", "{kind: ReplicaSet, uid: r}", "data")},
       .owners = {object("{kind: Deployment, metadata: {name: web, uid: d}, " + template_with("data") + "}"),
                  object("{kind: ReplicaSet, metadata: {name: web-1, uid: r, ownerReferences: [{kind: Deployment, uid: "
                         "d}]}, " +
                         template_with("data") + "}"),
                  object("{kind: CronJob, metadata: {name: c, uid: c}, spec: {jobTemplate: {" +
                         template_with("nightly") + "}}}"),
                  object("{kind: ReplicationController, metadata: {name: rc, uid: rc}, " + template_with("old") + "}"),
                  object("{kind: VirtualMachine, metadata: {name: vm, uid: vm}, spec: {template: {spec: {volumes: "
                         "[{name: v, dataVolume: {name: disk}}]}}}}")}});
  EXPECT_EQ(users.owner_type({"shop", "data"}), "Deployment");
  EXPECT_EQ(users.owner_type({"shop", "nightly"}), "CronJob");
  EXPECT_EQ(users.owner_type({"shop", "old"}), "Unknown");
  EXPECT_EQ(users.owner_type({"shop", "disk"}), "VirtualMachine");
  EXPECT_EQ(users.owner_type({"shop", "nobodys"}), "");
  EXPECT_EQ(users.owner_type({"other", "data"}), "") << "names are told apart by their namespaces";
}

TEST(ClaimUsers, AreUnknownWhereTheyDifferOrNobodyWeKnowOwnsThem) {
  const ClaimUsers users(
      {.pods = {running_pod("lonely", "", "a"), running_pod("strange", "{kind: Database, uid: x}", "b"),
                running_pod("virt-launcher-vm", "{kind: VirtualMachineInstance, uid: y}", "c"),
                running_pod("hp-volume-1", "{kind: Pod, uid: z}", "d")},
       .owners = {object("{kind: Deployment, metadata: {name: one, uid: 1}, " + template_with("e") + "}"),
                  object("{kind: DaemonSet, metadata: {name: two, uid: 2}, " + template_with("e") + "}")}});
  EXPECT_EQ(users.owner_type({"shop", "a"}), "Unknown");
  EXPECT_EQ(users.owner_type({"shop", "b"}), "Unknown");
  EXPECT_EQ(users.owner_type({"shop", "c"}), "VirtualMachine");
  EXPECT_EQ(users.owner_type({"shop", "d"}), "VirtualMachine");
  EXPECT_EQ(users.owner_type({"shop", "e"}), "Unknown");
}

TEST(ClaimUsers, PodsThatDoNotRunUseNothing) {
  auto pod = running_pod("p", "", "data");
  pod["status"]["phase"] = "Succeeded";
  EXPECT_EQ(ClaimUsers({.pods = {pod}, .owners = {}}).owner_type({"shop", "data"}), "");
}

TEST(ClaimUsers, SetsKnowTheirClaimsWithoutPods) {
  const ClaimUsers users({.pods = {},
                          .owners = {object("{kind: StatefulSet, metadata: {name: db, uid: s}, spec: {replicas: 0, "
                                            "volumeClaimTemplates: [{metadata: {name: data}}]}}")}});
  EXPECT_EQ(users.owner_type({"shop", "data-db-12"}), "StatefulSet");
  EXPECT_EQ(users.set_claim({"shop", "data-db-12"}), (SetClaim{"db", "data", "12"}));
  for (const auto* other : {"data-db", "data-db-", "data-db-x", "more-data-db-1", "data-db-1-2"})
    EXPECT_FALSE(users.set_claim({"shop", other})) << other;
  EXPECT_FALSE(users.set_claim({"other", "data-db-1"}));
}

TEST(ClaimUsers, ACircleOfOwnersEnds) {
  const ClaimUsers users({.pods = {},
                          .owners = {object("{kind: Deployment, metadata: {name: a, uid: a, ownerReferences: [{uid: "
                                            "a}]}, " +
                                            template_with("data") + "}")}});
  EXPECT_EQ(users.owner_type({"shop", "data"}), "Deployment");
}

TEST(ClaimUsers, AreFoundByTheClaimsThatTheyUse) {
  const std::set<kube::ObjectKey> claims = {{"shop", "data"}, {"shop", "data-db-1"}};
  EXPECT_TRUE(uses_any(object("{kind: Deployment, metadata: {name: web}, " + template_with("data") + "}"), claims));
  EXPECT_FALSE(uses_any(object("{kind: Deployment, metadata: {name: web}, " + template_with("logs") + "}"), claims));
  EXPECT_FALSE(uses_any(
      object("{kind: Deployment, metadata: {name: web, namespace: blog}, " + template_with("data") + "}"), claims));
  EXPECT_TRUE(uses_any(
      object("{kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {" + template_with("data") + "}}}"), claims));
  const auto set = [](const std::string& name) {
    return object("{kind: StatefulSet, metadata: {name: " + name +
                  "}, spec: {volumeClaimTemplates: [{metadata: {name: data}}]}}");
  };
  EXPECT_TRUE(uses_any(set("db"), claims));
  EXPECT_FALSE(uses_any(set("b"), claims));
  EXPECT_TRUE(mounts_any(running_pod("p", "", "data"), claims));
  EXPECT_FALSE(mounts_any(running_pod("p", "", "logs"), claims));
}

}  // namespace
}  // namespace mtc::plan
