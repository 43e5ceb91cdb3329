#pragma once

#include <string>

/// The public contract's fixed names: group, namespace, labels, annotations (spec api.md §6, §7, §8).
namespace mtc::api {

inline constexpr auto kGroup = "migration.openshift.io";
inline constexpr auto kVersion = "v1alpha1";
inline constexpr auto kApiVersion = "migration.openshift.io/v1alpha1";
/// Where all our objects live, on every cluster.
inline constexpr auto kNamespace = "openshift-migration";
/// Where the documents keep credentials, on the host.
inline constexpr auto kConfigNamespace = "openshift-config";

inline constexpr auto kMigCluster = "MigCluster";
inline constexpr auto kMigStorage = "MigStorage";
inline constexpr auto kMigPlan = "MigPlan";
inline constexpr auto kMigMigration = "MigMigration";
inline constexpr auto kDirectVolumeMigration = "DirectVolumeMigration";
inline constexpr auto kDirectVolumeMigrationProgress = "DirectVolumeMigrationProgress";

namespace labels {
inline constexpr auto kPartOf = "app.kubernetes.io/part-of";  ///< = "openshift-migration"
inline constexpr auto kPlan = "migplan";                      ///< = plan UID
inline constexpr auto kMigration = "migmigration";            ///< = migration UID
inline constexpr auto kController = "migrationcontroller";    ///< = identity of the host whose controller made it
inline constexpr auto kMigrationUid = "migration.openshift.io/migration-uid";
inline constexpr auto kPlanName = "migration.openshift.io/migplan-name";
inline constexpr auto kMigrationName = "migration.openshift.io/migmigration-name";
inline constexpr auto kMigratedByMigration = "migration.openshift.io/migrated-by-migmigration";
inline constexpr auto kMigratedByPlan = "migration.openshift.io/migrated-by-migplan";
inline constexpr auto kInitialBackup = "migration-initial-backup";
inline constexpr auto kFinalRestore = "migration-final-restore";
inline constexpr auto kStageBackup = "migration-stage-backup";
inline constexpr auto kStageRestore = "migration-stage-restore";
inline constexpr auto kIncludedInStage =
    "migration-included-stage-backup";                                   ///< = migration UID, on what it takes along
inline constexpr auto kDirectVolume = "migration-direct-volume";         ///< = migration UID, on its DVM
inline constexpr auto kDirectVolumeMigration = "directvolumemigration";  ///< = UID of the DVM
inline constexpr auto kCreatedForClaim = "migration.openshift.io/created-for-pvc";  ///< = MD5 of a source claim's name
inline constexpr auto kAttempt = "migration.openshift.io/rsync-attempt";            ///< = "1", "2" …
inline constexpr auto kProgressTaken = "migration.openshift.io/dvmp-done";          ///< = "True", on pods that ended
inline constexpr auto kConvertedBy =
    "migration.openshift.io/source-for-directvolumemigration";  ///< = plan UID, on claims that a conversion replaced
inline constexpr auto kReplacedByPlan = "migration.openshift.io/replaced-by-migplan";  ///< = plan UID: see swap.hpp
inline constexpr auto kMovedByPlan =
    "migration.openshift.io/moved-by-migplan";  ///< = plan UID, on volumes of the source that are in use
                                                ///< elsewhere, and on their claims there
inline constexpr auto kMigratedByVolumes = "migration.openshift.io/migrated-by-directvolumemigration";
inline constexpr auto kRepositoryKey = "migration.openshift.io/volume-repository";  ///< = "True", on their Secrets
// Velero's own (velero.md §1.4).
inline constexpr auto kBackupName = "velero.io/backup-name";
inline constexpr auto kBackupUid = "velero.io/backup-uid";
inline constexpr auto kRestoreName = "velero.io/restore-name";
inline constexpr auto kRestoreUid = "velero.io/restore-uid";
inline constexpr auto kClaimUid = "velero.io/pvc-uid";
}  // namespace labels

namespace annotations {
inline constexpr auto kTouch = "openshift.io/touch";
inline constexpr auto kMigrationType = "migration.openshift.io/migmigration-type";
inline constexpr auto kPreQuiesceReplicas = "migration.openshift.io/preQuiesceReplicas";
inline constexpr auto kPreQuiescePaused = "migration.openshift.io/preQuiescePaused";
inline constexpr auto kPreQuiesceSuspend = "migration.openshift.io/preQuiesceSuspend";
inline constexpr auto kPreQuiesceWhenScaled = "migration.openshift.io/preQuiesceWhenScaled";
inline constexpr auto kPreQuiesceNodeSelector = "migration.openshift.io/preQuiesceNodeSelector";
/// Of a StatefulSet whose storage class was converted: its claim templates before, as JSON.
inline constexpr auto kFormerTemplates = "migration.openshift.io/former-claim-templates";
inline constexpr auto kRunStrategy = "migration.openshift.io/vm-run-strategy";
/// Of a Restore: {"<source namespace>/<claim>": "<its name on the destination>"} as JSON.
inline constexpr auto kClaimNames = "migration.openshift.io/claim-names";
inline constexpr auto kStartMachine = "migration.openshift.io/start-vm";
inline constexpr auto kQuiescePods = "openshift.io/migrate-quiesce-pods";
// What a stage backup finds on volumes and claims (spec migration.md §1.3).
inline constexpr auto kMigrateType = "openshift.io/migrate-type";
inline constexpr auto kTargetStorageClass = "openshift.io/target-storage-class";
inline constexpr auto kTargetAccessMode = "openshift.io/target-access-mode";
/// Of a PersistentVolume that is moved: what becomes of it when its claim goes, before it was to be retained.
inline constexpr auto kReclaimPolicy = "migration.openshift.io/orig-reclaim-policy";
inline constexpr auto kCopyMethod = "migration.openshift.io/copy-method";
/// Of a repository's Secret: the MigStorage, as "ns/name".
inline constexpr auto kStorage = "migration.openshift.io/migstorage";
/// Of a PodVolumeBackup or PodVolumeRestore: the number of the mover that is at work on it, or was the last one.
inline constexpr auto kAttempt = "migration.openshift.io/attempt";
inline constexpr auto kClaimName = "velero.io/pvc-name";
/// Of one that is Completed: what its mover could not carry, as the mover said it at its end.
inline constexpr auto kLosses = "migration.openshift.io/losses";
/// Of one that is Completed: {"files", "bytes", "verified"} as JSON, for the report.
inline constexpr auto kVolumeResult = "migration.openshift.io/volume-result";
/// Of a mover's pod: what it may use, as JSON (docs/protocol/mover.md).
inline constexpr auto kBudget = "migration.openshift.io/mover-budget";
/// Of a stage Restore: how many volumes were not restored, and how many of them differed from their snapshots.
inline constexpr auto kRestoreErrors = "velero.io/restore-pvr-error-count";
inline constexpr auto kRestoreVerifyErrors = "velero.io/restore-pvr-verify-error-count";
}  // namespace annotations

/// Keeps a DirectVolumeMigration until its helpers are gone from both clusters.
inline constexpr auto kDirectVolumeFinalizer = "migration.openshift.io/directvolumemigrationfinalizer";

/// The node selector that no node satisfies: it keeps a quiesced DaemonSet from running.
inline constexpr auto kQuiesceNodeSelector = "migration.openshift.io/quiesceDaemonSet";

}  // namespace mtc::api
