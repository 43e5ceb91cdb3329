#include "migrate/steps/volume_migration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/volume_migration.hpp"
#include "json/yaml.hpp"

namespace mtc::migrate {
namespace {

using testing::ElementsAre;

Migration migration(bool quiesce) {
  Migration m;
  m.self.self = {"openshift-migration", "hello-1"};
  m.self.uid = "abcdefgh";
  m.self.quiesce = quiesce;
  m.plan = api::MigPlan::parse(parse_yaml_one(R"(
metadata: {name: hello, namespace: openshift-migration, uid: plan-uid}
spec:
  srcMigClusterRef: {name: host, namespace: openshift-migration}
  destMigClusterRef: {name: east, namespace: openshift-migration}
  namespaces: ["shop:boutique"]
  persistentVolumes:
  - name: pv-1
    pvc: {namespace: shop, name: "data:files", accessModes: [ReadWriteOnce], volumeMode: Filesystem}
    selection: {action: copy, copyMethod: filesystem, storageClass: fast, verify: true}
  - name: pv-2
    pvc: {namespace: shop, name: cache}
    selection: {action: skip}
)"));
  return m;
}

TEST(VolumeMigration, AsksForWhatThePlanCopies) {
  const auto object = volume_migration_of(migration(true));
  EXPECT_EQ(string_at(object, "metadata.name"), "hello-1-abcde");
  EXPECT_EQ(kube::label(object, "migration-direct-volume"), "abcdefgh");
  EXPECT_TRUE(bool_at(object["metadata"]["ownerReferences"][0], "controller"));
  const auto read = api::DirectVolumeMigration::parse(object);
  EXPECT_EQ(read.type, api::CopyType::kCutOver);
  EXPECT_EQ(read.plan_uid, "plan-uid");
  EXPECT_EQ(read.migration_uid, "abcdefgh");
  ASSERT_EQ(read.claims.size(), 1U);
  EXPECT_EQ(read.claims[0].target, (api::Ref{"boutique", "files"}));
  EXPECT_THAT(read.claims[0].access_modes, ElementsAre("ReadWriteOnce"));
  EXPECT_TRUE(read.claims[0].verify);
  // Whoever does not stop the application cannot have it proven.
  EXPECT_EQ(api::DirectVolumeMigration::parse(volume_migration_of(migration(false))).type, api::CopyType::kStage);
}

TEST(VolumeMigration, ShowsItsProgressAsTheOriginalDoes) {
  const auto object = parse_yaml_one(R"(
spec: {persistentVolumeClaims: [{}, {}, {}]}
status:
  rsyncOperations:
  - {pvcReference: {namespace: shop, name: b}, currentAttempt: 2}
  runningPods:
  - namespace: shop
    name: rsync-b
    pvcRef: {namespace: shop, name: b}
    lastObservedProgressPercent: 42%
    lastObservedTransferRate: 1.50MB/s
    totalElapsedTime: 1m5.4s
    way: relay
  successfulPods: [{namespace: shop, name: rsync-a, pvcRef: {namespace: shop, name: a}, lastObservedProgressPercent: 100%}]
  pendingPods: [{namespace: shop, name: rsync-c}]
)");
  EXPECT_THAT(
      volume_lines(object, 20),
      ElementsAre(
          "3 total volumes; 1 successful; 1 running; 0 failed", "Rsync Pod shop/rsync-c: Pending",
          "[a] shop/rsync-a: Completed 100%",
          "[b] shop/rsync-b: Running - Attempt 2 of 20 42% (Transfer rate 1.50MB/s) (1m5s) (through the API servers)"));
}

}  // namespace
}  // namespace mtc::migrate
