#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/testing/volumes.hpp"

namespace mtc::plan {
namespace {

using plan_testing::on_volumes;
using plan_testing::Volumes;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

TEST(CheckVolumes, IsSilentWhereEverythingCanBeCopied) {
  on_volumes([](Volumes* v) -> Task<void> {
    EXPECT_THAT(co_await v->look(), IsEmpty());
    EXPECT_FALSE(v->object["spec"].contains("persistentVolumes")) << "nothing is written where nothing is";
    co_await v->bound("data");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    const auto listed = v->object;
    EXPECT_EQ(string_at(listed["spec"]["persistentVolumes"][0], "selection.storageClass"), "standard");
    EXPECT_EQ(string_at(listed["status"]["srcStorageClasses"][0], "name"), "standard");
    EXPECT_TRUE(bool_at(listed["status"]["destStorageClasses"][0], "default"));
    EXPECT_THAT(co_await v->look(), IsEmpty());
    EXPECT_EQ(v->object, listed) << "a second pass writes nothing";
    EXPECT_THAT(v->world->world.awaited, IsEmpty());
  });
}

TEST(CheckVolumes, HoldsSelectionsAgainstWhatIsSupported) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("data");
    co_await v->look();
    v->select(0, "{action: teleport}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvInvalidAction NotDone: Volumes [pv-data] ")));
    v->select(0, "{action: null}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvInvalidAction NotDone: Volumes [pv-data] ")));
    EXPECT_TRUE(v->blocked);
    v->select(0, "{action: copy, storageClass: velvet}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvInvalidStorageClass NotDone: Volumes [pv-data] ")));
    EXPECT_THAT(v->world->world.awaited, SizeIs(1));
    v->select(0, "{storageClass: ''}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvNoStorageClassSelection NotFound: Volumes [pv-data] ")));
    EXPECT_FALSE(v->blocked);
    v->select(0, "{storageClass: standard, copyMethod: magic}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvInvalidCopyMethod : Volumes [pv-data] ")));
    v->select(0, "{copyMethod: null}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvNoCopyMethodSelection NotFound: Volumes [pv-data] ")));
    v->select(0, "{copyMethod: filesystem, accessMode: Sometimes}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvInvalidAccessMode : Volumes [pv-data] ")));
    EXPECT_TRUE(v->blocked);
    v->select(0, "{accessMode: ReadWriteMany}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvWarnAccessModeUnavailable : Volumes [pv-data] ")));
    EXPECT_FALSE(v->blocked);
    for (const auto* fine : {"{accessMode: ReadWriteOncePod}", "{accessMode: auto}", "{accessMode: null}"}) {
      v->select(0, fine);
      EXPECT_THAT(co_await v->look(), IsEmpty()) << fine;
    }
  });
}

TEST(CheckVolumes, RefusesWhatThisReleaseDoesNotMove) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("a");
    co_await v->bound("b", "volumeMode: Block");
    co_await v->bound("c", "volumeMode: Filesystem", "nfs: {server: s, path: /}");
    const auto refused = [](const std::string& what) {
      return Contains("VolumeMigrationNotSupported NotSupported: This release does not support " + what +
                      ": the plan is refused instead of losing data.");
    };
    // Of a driver that nobody knows.
    const auto only_warned = ElementsAre(StartsWith("PvWarnAccessModeUnavailable : Volumes [pv-b] "));
    EXPECT_THAT(co_await v->look(), only_warned) << "devices are copied directly";
    v->world->plan.indirect_volumes = true;
    EXPECT_THAT(co_await v->look(), only_warned) << "and through the bucket";
    v->world->plan.indirect_volumes = false;
    for (const auto* other : {"Filesystem", "Tape"}) {
      v->edit(1, fmt::format("{{pvc: {{volumeMode: {}}}, selection: {{copyMethod: filesystem}}}}", other));
      EXPECT_THAT(co_await v->look(), refused("another volume mode than that of the source (claims [shop/b]: set "
                                              "`pvc.volumeMode` to it)"));
    }
    v->edit(1, "{pvc: {volumeMode: Block}}");
    EXPECT_THAT(co_await v->look(), only_warned) << "of a device the methods mean the same";
    v->select(1, "{action: skip}");
    v->select(2, "{action: move}");
    v->world->world.is_one_cluster = true;
    EXPECT_THAT(co_await v->look(), refused("the action move within one cluster (claims [shop/c]: select copy or "
                                            "skip)"));
    v->world->world.is_one_cluster = false;
    v->select(2, "{action: copy, copyMethod: snapshot}");
    EXPECT_THAT(co_await v->look(), Contains(StartsWith("VolumeSnapshotsUnavailable NotSupported: ")));
    EXPECT_THAT(co_await v->look(), Contains(StartsWith("PvWarnCopyMethodSnapshot : Volumes [pv-c] ")));
    v->select(2, "{copyMethod: block}");
    for (const bool through_the_repository : {true, false}) {
      v->world->plan.indirect_volumes = through_the_repository;
      EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvSkipped Skipped: Claims [shop/b] are skipped")));
      EXPECT_FALSE(v->blocked);
    }
  });
}

TEST(CheckVolumes, NamesClaimsThatAreNotBoundAndWaitsForThem) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->claim("shop", "waiting");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvcNotBound NotBound: Claims [shop/waiting] of the ")));
    EXPECT_TRUE(v->blocked);
    EXPECT_EQ(v->world->world.awaited.at(0).ns, "shop");
    EXPECT_EQ(v->world->world.awaited.at(0).type, kube::types::persistent_volume_claims());
  });
}

TEST(CheckVolumes, NeedsAStorageClassOnTheDestination) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("data");
    co_await v->world->client->remove(kube::types::storage_classes(), {"", "standard"});
    EXPECT_THAT(co_await v->look(),
                ElementsAre(StartsWith("DestinationClusterNoStorageClass NotFound: The destination cluster has no "
                                       "storage class, so claims [shop/data] cannot")));
    EXPECT_TRUE(v->blocked);
    v->select(0, "{action: skip}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvSkipped ")));
    EXPECT_FALSE(v->blocked);
  });
}

TEST(CheckVolumes, TellsOfLimitsAndExclusions) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("a");
    co_await v->bound("b");
    v->world->world.settings.pv_limit = 1;
    EXPECT_THAT(co_await v->look(), ElementsAre("PvLimitExceeded LimitExceeded: PV limit: 1 exceeded, found: 2."));
    EXPECT_FALSE(v->blocked);
    v->world->world.settings.excluded_resources = {"persistentvolumeclaims"};
    EXPECT_THAT(co_await v->look(), ElementsAre(HasSubstr("VolumesExcluded ExcludedResources: ")));
    EXPECT_FALSE(v->object["spec"].contains("persistentVolumes"));
  });
}

TEST(CheckVolumes, SaysWhatIsMalformedInsteadOfFailing) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("data");
    co_await v->look();
    v->edit(0, "{pvc: {name: 'data:Not_A_Name'}}");
    EXPECT_THAT(co_await v->look(), ElementsAre(HasSubstr("PvInvalid NotValid: ")));
    EXPECT_TRUE(v->blocked);
  });
}

TEST(CheckVolumeTargets, KeepsNamesApart) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("a");
    co_await v->bound("b");
    co_await v->look();
    v->edit(0, "{pvc: {name: 'a:same'}}");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    v->edit(1, "{pvc: {name: 'b:same'}}");
    EXPECT_THAT(co_await v->look(),
                ElementsAre(StartsWith("PvNameConflict DuplicateNames: Several volumes in "
                                       "`persistentVolumes` are mapped to claims [boutique/same]")));
    EXPECT_TRUE(v->blocked);
  });
}

TEST(CheckVolumeTargets, TakesOnlyItsOwnClaimsUpAgain) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("ours");
    co_await v->bound("theirs");
    co_await v->claim("boutique", "ours", "accessModes: [ReadWriteOnce]",
                      "migration.openshift.io/migrated-by-migplan: plan-uid");
    co_await v->claim("boutique", "theirs");
    EXPECT_THAT(co_await v->look(),
                ElementsAre(StartsWith("PvTargetExists AlreadyExists: Claims [boutique/theirs] exist on the ")));
    EXPECT_TRUE(v->blocked);
    EXPECT_EQ(v->world->world.awaited.at(0).ns, "boutique");
    v->edit(1, "{pvc: {name: 'theirs:other'}}");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    v->edit(1, "{pvc: {name: theirs}, selection: {action: skip}}");
    EXPECT_THAT(co_await v->look(), IsEmpty()) << "skipped, and there all the same";
  });
}

TEST(CheckVolumeTargets, NeverSaysToDeleteTheSource) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->bound("data");
    v->world->plan.namespaces = {{"shop", "shop"}};
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvNameConflict SameClaim: ")));
  });
}

TEST(CheckConversion, NeedsSomethingToConvertAndAClassToConvertItTo) {
  on_volumes([](Volumes* v) -> Task<void> {
    v->world->plan.namespaces = {{"shop", "shop"}};
    v->world->world.is_conversion = true;
    v->object["status"]["suffix"] = "ab12";
    EXPECT_THAT(co_await v->look(), ElementsAre(HasSubstr("fewer than two"))) << "of two reasons the last one is said";
    co_await v->world->create(kube::types::storage_classes(),
                              "{metadata: {name: fast}, provisioner: example.com/disk}");
    EXPECT_THAT(co_await v->look(), ElementsAre(HasSubstr("none of its volumes is selected")));
    co_await v->bound("data");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvStorageClassUnchanged : Claims [shop/data] ")));
    EXPECT_EQ(string_at(v->object["spec"]["persistentVolumes"][0], "pvc.name"), "data:data-mig-ab12");
    EXPECT_FALSE(v->blocked);
    v->select(0, "{storageClass: fast}");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    v->select(0, "{action: skip}");
    EXPECT_THAT(co_await v->look(), ElementsAre(HasSubstr("none of its volumes is selected")));
    EXPECT_TRUE(v->blocked);
  });
}

TEST(CheckConversion, TakesAllClaimsOfATemplateOrNone) {
  on_volumes([](Volumes* v) -> Task<void> {
    v->world->plan.namespaces = {{"shop", "shop"}};
    v->world->world.is_conversion = true;
    v->object["status"]["suffix"] = "ab12";
    co_await v->world->create(kube::types::storage_classes(),
                              "{metadata: {name: fast}, provisioner: example.com/disk}");
    co_await v->world->create(kube::types::stateful_sets(),
                              "{metadata: {name: db}, spec: {replicas: 0, serviceName: db, selector: {matchLabels: {a: "
                              "b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}, "
                              "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], "
                              "resources: {requests: {storage: 1Gi}}}}]}}");
    co_await v->bound("data-db-0");
    co_await v->bound("data-db-1");
    co_await v->look();
    for (const std::size_t i : {0U, 1U}) v->select(i, "{storageClass: fast}");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    v->select(1, "{action: skip}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvSetNameInvalid ")));
  });
}

TEST(CheckVolumeTargets, FollowsTheNamesOfStatefulSets) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->world->create(kube::types::stateful_sets(),
                              "{metadata: {name: db}, spec: {replicas: 0, serviceName: db, selector: {matchLabels: {a: "
                              "b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}, "
                              "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], "
                              "resources: {requests: {storage: 1Gi}}}}]}}");
    EXPECT_THAT(co_await v->look(), IsEmpty()) << "a set without claims loses nothing";
    co_await v->bound("data-db-0");
    co_await v->bound("data-db-1");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    v->edit(0, "{pvc: {name: 'data-db-0:files-db-0'}}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvSetNameInvalid NotSupported: Claims "
                                                           "[shop/data-db-0,shop/data-db-1] belong to StatefulSets")));
    v->edit(1, "{pvc: {name: 'data-db-1:files-db-1'}}");
    EXPECT_THAT(co_await v->look(), IsEmpty());
    v->edit(1, "{pvc: {name: 'data-db-1:elsewhere'}}");
    EXPECT_THAT(co_await v->look(), ElementsAre(StartsWith("PvSetNameInvalid ")));
    EXPECT_TRUE(v->blocked);
  });
}

TEST(CheckVolumeTargets, SaysWhatCanOnlyBeSkipped) {
  on_volumes([](Volumes* v) -> Task<void> {
    co_await v->world->create(kube::types::nodes(), "{metadata: {name: second}}");
    co_await v->bound("data", "volumeMode: Filesystem", "hostPath: {path: /data}");
    EXPECT_THAT(co_await v->look(), ElementsAre(HasSubstr("Of these, [shop/data] can only be skipped")));
    EXPECT_FALSE(v->blocked);
    co_await v->world->client->remove(kube::types::nodes(), {"", "second"});
    v->select(0, "{action: copy}");
    EXPECT_THAT(co_await v->look(), IsEmpty()) << "with one node, there is one such directory";
  });
}

}  // namespace
}  // namespace mtc::plan
