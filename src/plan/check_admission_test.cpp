#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/checks.hpp"
#include "plan/mover_admission.hpp"
#include "plan/quotas.hpp"
#include "plan/testing/world.hpp"

namespace mtc::plan {
namespace {

using plan_testing::on_cluster;
using plan_testing::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using What = Admission::What;

constexpr auto kRestricted = "{metadata: {name: boutique, labels: {pod-security.kubernetes.io/enforce: restricted}}}";

What judged(Code code, const char* words) { return admission_of(Error(code, words)).what; }

// The words are those of kube-apiserver 1.34.
TEST(AdmissionOf, TellsRefusalsFromWhatSaysNothing) {
  EXPECT_EQ(judged(Code::kForbidden, "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": …"),
            What::kRefused);
  EXPECT_EQ(judged(Code::kForbidden,
                   "pods \"p\" is forbidden: maximum memory usage per Container is 64Mi, but limit is "
                   "1Gi"),
            What::kRefused);
  EXPECT_EQ(judged(Code::kForbidden,
                   "pods \"p\" is forbidden: exceeded quota: q, requested: limits.cpu=2, used: "
                   "limits.cpu=0, limited: limits.cpu=1"),
            What::kOverQuota);
  EXPECT_EQ(judged(Code::kForbidden, "admission webhook \"policy.example.com\" denied the request: no"),
            What::kRefused);
  EXPECT_EQ(judged(Code::kInvalid, "admission webhook \"policy.example.com\" denied the request: no"), What::kRefused);
  EXPECT_EQ(judged(Code::kInvalid, "admission webhook \"policy.example.com\" does not support dry run"),
            What::kUnknown);
  EXPECT_EQ(judged(Code::kForbidden,
                   "pods is forbidden: User \"u\" cannot create resource \"pods\" in API group \"\" "
                   "in the namespace \"shop\""),
            What::kUnknown);
  EXPECT_EQ(judged(Code::kForbidden,
                   "pods \"p\" is forbidden: unable to create new content in namespace shop because "
                   "it is being terminated"),
            What::kUnknown);
  EXPECT_EQ(judged(Code::kUnavailable, "Internal error occurred: failed calling webhook \"w\": no endpoints"),
            What::kUnknown);
  EXPECT_EQ(judged(Code::kNotFound, "namespaces \"shop\" not found"), What::kUnknown);
}

/// A plan with one volume, that is copied from shop to boutique.
void with_a_volume(std::function<Task<void>(World*)> body) {
  on_cluster([body](World* w) {
    w->plan.persistent_volumes = parse_yaml_one(
        "[{name: pv, pvc: {namespace: shop, name: data, accessModes: [ReadWriteOnce], volumeMode: Filesystem}, "
        "selection: {action: copy, copyMethod: filesystem, storageClass: standard}}]");
    return body(w);
  });
}

Task<std::vector<std::string>> look(World* w) {
  co_await check_admission(w->plan, &w->world, &w->conditions);
  co_return w->said();
}

TEST(CheckAdmission, IsSilentWhereMoversAreLetInOrNobodyCanSay) {
  with_a_volume([](World* w) -> Task<void> {
    EXPECT_THAT(co_await look(w), IsEmpty()) << "boutique is not there yet";
    co_await w->create(kube::types::namespaces(),
                       "{metadata: {name: boutique, labels: {pod-security.kubernetes.io/enforce: baseline}}}");
    EXPECT_THAT(co_await look(w), IsEmpty());
    EXPECT_THAT(w->world.awaited, IsEmpty());
    EXPECT_THAT((co_await w->client->list(kube::types::pods(), "boutique", {})).items, IsEmpty());
  });
}

TEST(CheckAdmission, SaysWhoDoesNotLetMoversInAndInWhatWords) {
  with_a_volume([](World* w) -> Task<void> {
    co_await w->create(kube::types::namespaces(), kRestricted);
    EXPECT_THAT(co_await look(w),
                ElementsAre(testing::AllOf(
                    HasSubstr("MoversForbidden NotAdmitted: "),
                    HasSubstr("cluster c, namespace boutique: pods \"mtc-mover\" is forbidden: violates PodSecurity "
                              "\"restricted:latest\": unrestricted capabilities (container \"rsync\" must not include"),
                    HasSubstr("pod-security.kubernetes.io/enforce: baseline"))));
    EXPECT_TRUE(w->conditions.has_category(api::Category::kCritical));
    EXPECT_THAT(w->world.awaited, testing::SizeIs(1));
  });
}

/// A Deployment of the source that mounts the claim.
Task<void> application(World* w, std::string security) {
  co_await w->create(
      kube::types::deployments(),
      "{metadata: {name: web}, spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: "
      "{app: web}}, spec: {containers: [{name: web, image: x, volumeMounts: [{name: d, mountPath: /d}], "
      "securityContext: " +
          security + "}], volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}}}}");
}

TEST(CheckAdmission, TellsWhereMoversRunAsUsers) {
  with_a_volume([](World* w) -> Task<void> {
    co_await w->create(kube::types::namespaces(), kRestricted);
    co_await application(w, "{runAsUser: 999}");
    EXPECT_THAT(co_await look(w),
                ElementsAre(HasSubstr("MoversRestricted NotRoot: In [cluster c, namespace boutique] the pods")));
    EXPECT_FALSE(w->conditions.blocked());
    EXPECT_THAT(w->world.awaited, IsEmpty());
  });
}

TEST(CheckAdmission, AsksForAUserWhereNobodySaysOneOrItIsRoot) {
  with_a_volume([](World* w) -> Task<void> {
    co_await w->create(kube::types::namespaces(), kRestricted);
    co_await application(w, "{runAsUser: 0}");
    EXPECT_THAT(co_await look(w), ElementsAre(HasSubstr("no workload says as whom else for claim shop/data")));
  });
}

TEST(CheckAdmission, WaitsForQuotasThatLeaveNoRoom) {
  with_a_volume([](World* w) -> Task<void> {
    co_await w->create(kube::types::namespaces(), "{metadata: {name: boutique}}");
    co_await w->create(resource_quotas(),
                       "{metadata: {namespace: boutique, name: few}, spec: {hard: {count/pods: '0'}}}");
    EXPECT_THAT(co_await look(w), ElementsAre(testing::AllOf(HasSubstr("MoversOverQuota QuotaExceeded: "),
                                                             HasSubstr("exceeded quota: few"))));
    EXPECT_FALSE(w->conditions.blocked());
    EXPECT_THAT(w->world.awaited, testing::SizeIs(1));
    EXPECT_FALSE(w->world.look_again);
  });
}

TEST(CheckAdmission, AsksForNothingThatIsNotCopied) {
  with_a_volume([](World* w) -> Task<void> {
    co_await w->create(kube::types::namespaces(), kRestricted);
    w->plan.persistent_volumes[0]["selection"]["action"] = "skip";
    EXPECT_THAT(co_await look(w), IsEmpty());
  });
}

TEST(CheckAdmission, AsksForTheKindOfPodThatIsNeeded) {
  with_a_volume([](World* w) -> Task<void> {
    co_await w->create(kube::types::namespaces(), kRestricted);
    w->plan.persistent_volumes[0]["pvc"]["volumeMode"] = "Block";
    w->plan.indirect_volumes = false;
    EXPECT_THAT(co_await look(w), ElementsAre(HasSubstr("must not include \"DAC_OVERRIDE\" in")));
  });
}

}  // namespace
}  // namespace mtc::plan
