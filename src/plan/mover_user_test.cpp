#include "plan/mover_user.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/yaml.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::plan {
namespace {

using testing::ElementsAre;

const kube::ObjectKey kClaim{"shop", "data-db-0"};

Json workload(const char* pod_spec, const char* more = "{}") {
  auto out = parse_yaml_one("{kind: StatefulSet, metadata: {namespace: shop, name: db}}");
  out["spec"] = parse_yaml_one(more);
  out["spec"]["template"]["spec"] = parse_yaml_one(pod_spec);
  return out;
}

TEST(MoverUser, IsThatOfTheContainerThatMountsTheClaim) {
  const auto user = user_of(
      {.pods = {},
       .owners = {workload("{securityContext: {runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4, 5]}, "
                           "containers: [{name: other, securityContext: {runAsUser: 7}}, {name: db, securityContext: "
                           "{runAsUser: 8}, volumeMounts: [{name: d}]}], volumes: [{name: d, persistentVolumeClaim: "
                           "{claimName: data-db-0}}]}")}},
      kClaim);
  EXPECT_EQ(user.user, 8);
  EXPECT_EQ(user.group, 2);
  EXPECT_EQ(user.fs_group, 3);
  EXPECT_THAT(user.groups, ElementsAre(4, 5));
}

TEST(MoverUser, IsThatOfAStatefulSetWhoseClaimItIs) {
  const auto set = workload("{securityContext: {runAsUser: 9}, containers: [{name: c, volumeMounts: [{name: data}]}]}",
                            "{volumeClaimTemplates: [{metadata: {name: data}}]}");
  EXPECT_EQ(user_of({.pods = {}, .owners = {set}}, kClaim).user, 9);
  EXPECT_EQ(user_of({.pods = {}, .owners = {set}}, {"shop", "data-other-0"}).user, std::nullopt);
  EXPECT_EQ(user_of({.pods = {}, .owners = {set}}, {"elsewhere", "data-db-0"}).user, std::nullopt);
}

TEST(MoverUser, IsNobodyWhereNobodySaysOneOrItIsRoot) {
  for (const auto* context : {"{}", "{runAsUser: 0}", "{runAsGroup: 5}"}) {
    auto pod = parse_yaml_one(
        "{metadata: {namespace: shop, name: p}, spec: {containers: [{name: c, volumeMounts: [{name: d}]}], volumes: "
        "[{name: d, persistentVolumeClaim: {claimName: data-db-0}}]}}");
    pod["spec"]["securityContext"] = parse_yaml_one(context);
    EXPECT_EQ(user_of({.pods = {pod}, .owners = {}}, kClaim).user, std::nullopt) << context;
  }
}

Mover restricted() {
  return {.ns = "shop",
          .name = "m",
          .image = "i",
          .claim = "data",
          .secret = "s",
          .labels = Json::object(),
          .args = {"mover"},
          .restricted = MoverUser{.user = 8, .group = 9, .fs_group = {}, .groups = {10}}};
}

TEST(RestrictedMover, AsksForNothingThatPodSecurityRefuses) {
  const auto pod = pod_of(restricted());
  EXPECT_EQ(dump(pod["spec"]["containers"][0]["securityContext"]),
            R"({"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"runAsGroup":9,"runAsNonRoot":true,)"
            R"("runAsUser":8,"seccompProfile":{"type":"RuntimeDefault"}})");
  EXPECT_EQ(int_at(pod["spec"]["volumes"][1], "secret.defaultMode"), 0444) << "files of a Secret are root's";
}

TEST(RestrictedMover, GivesANewVolumeItsGroupAndLeavesOneThatIsReadAsItIs) {
  EXPECT_EQ(dump(pod_of(restricted())["spec"]["securityContext"]),
            R"({"fsGroup":9,"fsGroupChangePolicy":"OnRootMismatch","supplementalGroups":[10]})");
  auto reader = restricted();
  reader.reads_only = true;
  EXPECT_EQ(dump(pod_of(reader)["spec"]["securityContext"]), R"({"supplementalGroups":[10]})");
  reader.restricted->fs_group = 11;
  EXPECT_EQ(int_at(pod_of(reader), "spec.securityContext.fsGroup"), 11) << "the application's own";
}

}  // namespace
}  // namespace mtc::plan
