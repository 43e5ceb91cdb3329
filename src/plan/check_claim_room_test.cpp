#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/quotas.hpp"
#include "plan/testing/volumes.hpp"

namespace mtc::plan {
namespace {

using plan_testing::on_volumes;
using plan_testing::Volumes;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

/// A quota of the destination's namespace, and what its controller says of it. No controller runs here.
Task<void> quota(Volumes* v, std::string name, std::string hard, std::string used, std::string more = "") {
  auto metadata = "{metadata: {namespace: boutique, name: " + name + "}, spec: {hard: {";
  co_await v->world->create(resource_quotas(), metadata + hard + "}" + more + "}}");
  const Json status = parse_yaml_one("{status: {hard: {" + hard + "}, used: {" + used + "}}}");
  co_await v->world->client->patch(resource_quotas(), {"boutique", name}, kube::PatchKind::kMerge, status,
                                   {.subresource = "status"});
}

/// A claim that an earlier migration of the plan made, and its size.
Task<void> staged(Volumes* v, std::string name, std::string storage_class = "standard", std::string phase = "Bound") {
  co_await v->claim("boutique", name, "accessModes: [ReadWriteOnce], storageClassName: " + storage_class,
                    "migration.openshift.io/migrated-by-migplan: plan-uid");
  const Json status = {{"status", {{"phase", phase}, {"capacity", {{"storage", "1Gi"}}}}}};
  co_await v->world->client->patch(kube::types::persistent_volume_claims(), {"boutique", name}, kube::PatchKind::kMerge,
                                   status, {.subresource = "status"});
}

constexpr auto kMore = "{proposedCapacity: 4Gi, capacityConfirmed: true}";

TEST(CheckClaimRoom, SumsWhatTheClaimsOfANamespaceWillAskFor) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await quota(v, "some", "requests.storage: 3Gi, persistentvolumeclaims: '9'",
                   "requests.storage: 1Gi, persistentvolumeclaims: '1'");
    co_await v->bound("data");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    EXPECT_THAT(v->world->world.awaited, IsEmpty());
    co_await v->bound("logs");
    EXPECT_THAT(co_await v->look(), IsEmpty()) << "just enough";
    co_await v->bound("more");
    EXPECT_THAT(co_await v->look(),
                ElementsAre(AllOf(StartsWith("VolumesOverQuota QuotaExceeded: "),
                                  HasSubstr("[namespace boutique, quota some: 3Gi more of requests.storage, where 1Gi "
                                            "of 3Gi are used]"))));
    EXPECT_TRUE(v->blocked);
    EXPECT_THAT(
        v->world->world.awaited,
        ElementsAre(testing::Truly([](const Place& p) { return p.type == resource_quotas() && p.ns == "boutique"; })));
    v->select(2, "{action: skip}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvSkipped")));
    v->edit(0, kMore);
    EXPECT_THAT(co_await v->look(), testing::Contains(HasSubstr("5Gi more of requests.storage")));
  });
}

TEST(CheckClaimRoom, KnowsQuotasOfClassesAndNumbers) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("data");
    co_await quota(v, "other", "gold.storageclass.storage.k8s.io/requests.storage: '0', requests.cpu: '0'",
                   "requests.cpu: '0'");
    co_await quota(v, "scoped", "persistentvolumeclaims: '0'", "persistentvolumeclaims: '0'",
                   ", scopeSelector: {matchExpressions: [{scopeName: VolumeAttributesClass, operator: Exists}]}");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    co_await quota(v, "class", "standard.storageclass.storage.k8s.io/persistentvolumeclaims: '2'",
                   "standard.storageclass.storage.k8s.io/persistentvolumeclaims: '2'");
    co_await quota(v, "number", "count/persistentvolumeclaims: '5'", "count/persistentvolumeclaims: '5'");
    EXPECT_THAT(
        co_await v->look(),
        ElementsAre(AllOf(HasSubstr("quota class: 1 more of "
                                    "standard.storageclass.storage.k8s.io/persistentvolumeclaims, where 2 of 2"),
                          HasSubstr("quota number: 1 more of count/persistentvolumeclaims, where 5 of 5"))));
  });
}

TEST(CheckClaimRoom, CountsNoClaimTwice) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("data");
    co_await staged(v, "data");
    co_await quota(v, "full", "requests.storage: 1Gi, persistentvolumeclaims: '1'",
                   "requests.storage: 1Gi, persistentvolumeclaims: '1'");
    EXPECT_THAT(co_await v->look(), IsEmpty());
  });
}

TEST(CheckClaimRoom, SaysWhichClaimsOfAStageAreTooSmallAndCannotGrow) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("data");
    co_await staged(v, "data");
    co_await v->look();
    v->edit(0, kMore);
    EXPECT_THAT(co_await v->look(), ElementsAre(AllOf(StartsWith("PvTargetTooSmall CannotGrow: "),
                                                      HasSubstr("[boutique/data: 1Gi of 4Gi]"))));
    EXPECT_TRUE(v->blocked);
    EXPECT_THAT(v->world->world.awaited, SizeIs(2));
    EXPECT_THAT(v->world->world.growing, IsEmpty());
    v->edit(0, "{capacityConfirmed: false}");
    EXPECT_THAT(co_await v->look(), IsEmpty());
  });
}

TEST(CheckClaimRoom, LetsClaimsOfAStageGrowIfTheirClassDoes) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->world->create(kube::types::storage_classes(),
                              "{metadata: {name: growing}, provisioner: example.com/disk, allowVolumeExpansion: true}");
    co_await v->bound("data");
    co_await staged(v, "data", "growing");
    co_await v->look();
    v->edit(0, kMore);
    EXPECT_THAT(co_await v->look(), IsEmpty());
    EXPECT_THAT(v->world->world.growing, ElementsAre("boutique"));
    co_await quota(v, "some", "requests.storage: 3Gi", "requests.storage: 1Gi");
    EXPECT_THAT(co_await v->look(), ElementsAre(HasSubstr("3Gi more of requests.storage, where 1Gi of 3Gi are used")));
  });
}

TEST(CheckClaimRoom, KnowsThatOnlyBoundClaimsGrow) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->world->create(kube::types::storage_classes(),
                              "{metadata: {name: growing}, provisioner: example.com/disk, allowVolumeExpansion: true}");
    co_await v->bound("data");
    co_await staged(v, "data", "growing", "Pending");
    co_await v->look();
    v->edit(0, kMore);
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvTargetTooSmall CannotGrow: ")));
  });
}

}  // namespace
}  // namespace mtc::plan
