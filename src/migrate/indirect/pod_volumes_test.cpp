#include "migrate/indirect/pod_volumes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.hpp"
#include "json/yaml.hpp"
#include "migrate/indirect/marks.hpp"
#include "migrate/indirect/repositories.hpp"
#include "migrate/indirect/staging.hpp"

namespace mtc::migrate::indirect {
namespace {

const Time kNow = *parse_rfc3339("2021-02-02T15:04:09Z");

Migration migration(const char* uid = "0123456789") {
  Migration m;
  m.self.self = {"openshift-migration", "m"};
  m.self.uid = uid;
  m.plan = api::MigPlan::parse(parse_yaml_one(R"(
metadata: {name: hello, namespace: openshift-migration, uid: plan-uid}
spec:
  indirectVolumeMigration: true
  namespaces: ["shop:boutique"]
  persistentVolumes:
  - name: pv-1
    pvc: {namespace: shop, name: "data:files", accessModes: [ReadWriteOnce]}
    selection: {action: copy, copyMethod: filesystem, storageClass: fast, accessMode: ReadWriteMany}
  - name: pv-2
    pvc: {namespace: shop, name: cache}
    selection: {action: skip}
)"));
  m.plan_object = Json::object();
  m.bucket.bucket = "migration";
  m.bucket.endpoint = "https://minio:9000/";
  m.bucket.access_key_id = "id";
  m.bucket.secret_access_key = Secret("key");
  return m;
}

Json object(const char* kind, const char* status) {
  return parse_yaml_one("{kind: " + std::string(kind) +
                        ", metadata: {namespace: openshift-migration, name: x}, status: " + status + "}");
}

// spec migration.md §12.4, to the letter: consoles read percentages and times out of these lines.
TEST(PodVolumeLines, AreThoseOfTheOriginal) {
  const auto* running =
      "{phase: InProgress, startTimestamp: '2021-02-02T15:04:04Z', progress: {totalBytes: 5000000, "
      "bytesDone: 1200000}}";
  EXPECT_EQ(line_of(object("PodVolumeBackup", running), kNow),
            "PodVolumeBackup openshift-migration/x: 1.20 MB out of 5.00 MB backed up (5s)");
  EXPECT_EQ(line_of(object("PodVolumeRestore", running), kNow),
            "PodVolumeRestore openshift-migration/x: 1.20 MB out of 5.00 MB restored (5s)");
  const auto* ended =
      "{phase: Completed, startTimestamp: '2021-02-02T15:03:04Z', completionTimestamp: "
      "'2021-02-02T15:04:09Z', progress: {totalBytes: 999, bytesDone: 999}}";
  EXPECT_EQ(line_of(object("PodVolumeBackup", ended), kNow),
            "PodVolumeBackup openshift-migration/x: 999 bytes out of 999 bytes backed up (1m5s)");
  EXPECT_EQ(line_of(object("PodVolumeRestore", ended), kNow),
            "PodVolumeRestoreCompleted openshift-migration/x: 999 bytes out of 999 bytes restored (1m5s)");
  const auto* failed =
      "{phase: Failed, startTimestamp: '2021-02-02T15:04:04Z', completionTimestamp: "
      "'2021-02-02T15:04:09Z'}";
  EXPECT_EQ(line_of(object("PodVolumeBackup", failed), kNow),
            "PodVolumeBackup openshift-migration/x: Failed. 0 bytes out of 0 bytes backed up (5s)");
  EXPECT_EQ(line_of(object("PodVolumeBackup", "{phase: InProgress}"), kNow),
            "PodVolumeBackup openshift-migration/x: Waiting for ongoing volume backup(s) to complete");
  EXPECT_EQ(line_of(object("PodVolumeRestore", "{phase: InProgress}"), kNow),
            "PodVolumeRestore openshift-migration/x: Waiting for ongoing volume restore(s) to complete");
}

TEST(PodVolume, IsInOurHandsFromTheStartAndLooksLikeVeleros) {
  const auto m = migration();
  const auto volume = staged_volumes(m).at(0);
  const auto backup = parse_yaml_one(
      "{kind: Backup, metadata: {name: m-stage-01234, uid: b-uid}, spec: "
      "{storageLocation: bsl}}");
  const auto claim = parse_yaml_one("{metadata: {namespace: shop, name: data, uid: c-uid}}");
  const auto made = pod_volume_backup(m, backup, volume, claim);
  EXPECT_EQ(string_at(made, "status.phase"), "InProgress") << "a node agent takes what is New";
  EXPECT_EQ(made["spec"]["node"], "");
  EXPECT_FALSE(made["spec"]["pod"].contains("name"));
  EXPECT_EQ(string_at(made, "spec.backupStorageLocation"), "bsl");
  EXPECT_EQ(string_at(made, "spec.uploaderType"), "restic");
  EXPECT_EQ(string_at(made, "spec.repoIdentifier"), "s3:https://minio:9000/migration/velero/restic/plan-uid/shop");
  EXPECT_EQ(kube::label(made, "velero.io/backup-name"), "m-stage-01234");
  EXPECT_EQ(kube::label(made, "velero.io/backup-uid"), "b-uid");
  EXPECT_EQ(kube::label(made, "velero.io/pvc-uid"), "c-uid");
  EXPECT_EQ(kube::annotation(made, "velero.io/pvc-name"), "data");
  EXPECT_EQ(string_at(made["spec"]["tags"], "volume"), "data");
  EXPECT_EQ(stand_of(made), Stand::kWaiting);
  EXPECT_EQ(made, pod_volume_backup(m, backup, volume, claim)) << "its name is the same for every try";
}

TEST(PodVolume, KeepsWhereItStands) {
  auto made = object("PodVolumeBackup", "{phase: InProgress}");
  EXPECT_EQ(attempt_of(made), 0);
  made["metadata"]["annotations"][api::annotations::kAttempt] = "2";
  EXPECT_EQ(stand_of(made), Stand::kActive);
  EXPECT_EQ(attempt_of(made), 2);
  made["metadata"]["annotations"][api::annotations::kAttempt] = "-7";
  EXPECT_EQ(attempt_of(made), 0);
  made["status"]["snapshotID"] = "abc";
  EXPECT_EQ(snapshot_of(made), "") << "it is not over";
  made["status"]["phase"] = "Completed";
  EXPECT_EQ(snapshot_of(made), "abc");
}

TEST(StagedNames, AreThoseOfOneMigrationAlone) {
  const auto a = migration(), b = migration("another");
  const api::Ref claim{"shop", "data"};
  EXPECT_NE(mover_name(a, Side::kSource, claim, 1), mover_name(b, Side::kSource, claim, 1));
  EXPECT_NE(mover_name(a, Side::kSource, claim, 1), mover_name(a, Side::kDestination, claim, 1));
  EXPECT_NE(mover_name(a, Side::kSource, claim, 1), mover_name(a, Side::kSource, claim, 2));
  EXPECT_NE(secret_name(a, Side::kSource), secret_name(b, Side::kSource));
  EXPECT_NE(helpers_of_migration(a), helpers_of_migration(b));
  EXPECT_EQ(helpers_of_plan(a), helpers_of_plan(b));
}

TEST(StagedVolumes, AreNoneWhereAnOperatorHasTakenVolumesOut) {
  auto m = migration();
  EXPECT_EQ(staged_volumes(m).size(), 1U);
  m.plan_object = parse_yaml_one("{status: {excludedResources: [persistentvolumes]}}");
  EXPECT_TRUE(staged_volumes(m).empty());
}

TEST(StagedSecret, IsWhatAMoverReads) {
  const auto secret = mover_secret(migration(), Side::kDestination, "boutique", "shop", Secret("pass"));
  EXPECT_EQ(kube::key_of(secret).ns, "boutique");
  EXPECT_EQ(string_at(secret["data"], "password"), "cGFzcw==");
  EXPECT_FALSE(secret["data"].contains("ca.crt"));
  const auto* place = member(secret["data"], "store.json");
  ASSERT_NE(place, nullptr);
  EXPECT_EQ(*place,
            "eyJidWNrZXQiOiJtaWdyYXRpb24iLCJpbnNlY3VyZVNraXBWZXJpZnkiOmZhbHNlLCJwcmVmaXgiOiJ2ZWxlcm8vcmVzdGljL3BsYW4t"
            "dWlkL3Nob3AiLCJyZWdpb24iOiJ1cy1lYXN0LTEiLCJ1cmwiOiJodHRwczovL21pbmlvOjkwMDAvIn0=");
}

TEST(Marks, AreThoseOfTheOriginal) {
  const auto m = migration();
  const auto volume = staged_volumes(m).at(0);
  EXPECT_EQ(kube::label(marks_of_volume(m, volume), "migration-included-stage-backup"), "0123456789");
  EXPECT_EQ(dump(marks_of_claim(m, volume)["metadata"]["annotations"]),
            R"({"migration.openshift.io/copy-method":"filesystem","openshift.io/migrate-type":"copy",)"
            R"("openshift.io/target-access-mode":"ReadWriteMany","openshift.io/target-storage-class":"fast"})");
  EXPECT_EQ(kube::annotation(marks_of_volume(m, volume), "openshift.io/target-access-mode"), "");
}

}  // namespace
}  // namespace mtc::migrate::indirect
