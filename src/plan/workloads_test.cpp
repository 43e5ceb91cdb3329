#include "plan/workloads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/yaml.hpp"

namespace mtc::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Json object(const char* yaml) {
  auto out = parse_yaml_one(yaml);
  out["metadata"]["namespace"] = "shop";
  return out;
}

Json pod(const char* owner) {
  return object((std::string("{kind: Pod, metadata: {name: p, ownerReferences: [") + owner + "]}}").c_str());
}

TEST(Workloads, StopWithTheOwnerAtTheTop) {
  const std::vector<Json> owners = {
      object("{kind: Deployment, metadata: {name: web, uid: d}}"),
      object("{kind: ReplicaSet, metadata: {name: web-1, uid: r, ownerReferences: [{kind: Deployment, uid: d, "
             "controller: true}]}}")};
  const auto sorted = sort_workloads({pod("{kind: ReplicaSet, name: web-1, uid: r, controller: true}")}, owners);
  EXPECT_THAT(sorted.stopping, ElementsAre("shop/p"));
  EXPECT_THAT(sorted.remaining, IsEmpty());
  EXPECT_THAT(sorted.contested, IsEmpty());
}

TEST(Workloads, RemainWhereNobodyOrAStrangerOwnsThem) {
  EXPECT_THAT(sort_workloads({pod("")}, {}).remaining, ElementsAre("shop/p"));
  EXPECT_THAT(sort_workloads({pod("{kind: Database, name: main, uid: x}")}, {}).remaining,
              ElementsAre("shop/p (Database main)"));
  const auto of_a_rollout =
      object("{kind: ReplicaSet, metadata: {name: r, uid: r, ownerReferences: [{kind: Rollout, name: web, uid: x}]}}");
  EXPECT_THAT(sort_workloads({pod("{kind: ReplicaSet, name: r, uid: r}")}, {of_a_rollout}).remaining,
              ElementsAre("shop/p (Rollout web)"));
}

TEST(Workloads, AreOverWhenTheyHaveEndedOrTheirNodeIsLost) {
  for (const auto* phase : {"Succeeded", "Failed", "Unknown"}) {
    auto ended = pod("");
    ended["status"]["phase"] = phase;
    const auto sorted = sort_workloads({ended}, {});
    EXPECT_THAT(sorted.remaining, IsEmpty()) << phase;
    EXPECT_THAT(sorted.stopping, IsEmpty()) << phase;
  }
}

TEST(Workloads, AreContestedByOperatorsAndGitTools) {
  const std::vector<Json> owners = {
      object(
          "{kind: StatefulSet, metadata: {name: db, uid: s, ownerReferences: [{kind: Database, name: main, uid: x}]}}"),
      object("{kind: Deployment, metadata: {name: web, uid: d, labels: {argocd.argoproj.io/instance: shop}}}"),
      object("{kind: Job, metadata: {name: j, uid: j, ownerReferences: [{kind: CronJob, name: c, uid: c}]}}"),
      object("{kind: CronJob, metadata: {name: c, uid: c}}")};
  const auto sorted = sort_workloads({pod("{kind: StatefulSet, name: db, uid: s}")}, owners);
  EXPECT_THAT(sorted.stopping, ElementsAre("shop/p"));
  EXPECT_THAT(sorted.contested, ElementsAre("StatefulSet shop/db (Database main)", "Deployment shop/web (Argo CD)"));
}

TEST(Workloads, KnowTheMachineBehindItsInstance) {
  const auto instance = pod("{kind: VirtualMachineInstance, name: vm, uid: i}");
  const auto machine = object("{kind: VirtualMachine, metadata: {name: vm, uid: m}, spec: {runStrategy: Always}}");
  EXPECT_THAT(sort_workloads({instance}, {machine}).stopping, ElementsAre("shop/p"));
  auto manual = machine;
  manual["spec"]["runStrategy"] = "Manual";
  EXPECT_THAT(sort_workloads({instance}, {manual}).remaining, ElementsAre("shop/p (VirtualMachineInstance vm)"));
}

}  // namespace
}  // namespace mtc::plan
