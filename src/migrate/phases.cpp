#include "migrate/phases.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kStaleAnnotations =
    "Removing leftover migration annotations and labels from PVs, PVCs, Pods, ImageStreams, and Namespaces. "
    "Annotations and labels provide migration instructions to Velero, Velero Plugins and Restic.";
constexpr auto kStaleRestic =
    "Deleting incomplete Restic PodVolumeBackups and PodVolumeRestores created by past migration attempts.";
constexpr auto kQuiesce =
    "Quiescing (Scaling to 0 replicas): Deployments, DeploymentConfigs, StatefulSets, ReplicaSets, DaemonSets, "
    "CronJobs, Jobs and Virtual Machines in source namespace.";
constexpr auto kWaitQuiesce =
    "Waiting for Quiesce (Scaling to 0 replicas) to finish for Deployments, DeploymentConfigs, StatefulSets, "
    "ReplicaSets, DaemonSets, CronJobs, Jobs and Virtual Machines in source namespace.";
constexpr auto kUnquiesceDestination =
    "UnQuiescing (Scaling to N replicas) target cluster Deployments, DeploymentConfigs, StatefulSets, ReplicaSets, "
    "DaemonSets, CronJobs, Jobs and Virtual Machines.";
constexpr auto kUnquiesceSource =
    "UnQuiescing (Scaling to N replicas) source cluster Deployments, DeploymentConfigs, StatefulSets, ReplicaSets, "
    "DaemonSets, CronJobs, Jobs and Virtual Machines.";

/// In the order of their first use. Texts that the original prints are the original's.
const std::vector<Phase>& phases() {
  static const std::vector<Phase> all = {
      {"", "", pass},
      {"Started", "Migration started.", pass},
      {"StartRefresh", "Starting refresh on MigPlan, MigStorage and MigCluster resources", start_refresh},
      {"WaitForRefresh", "Waiting for refresh of MigPlan, MigStorage and MigCluster resources to complete",
       wait_for_refresh},
      {"CleanStaleAnnotations", kStaleAnnotations, clean_stale_annotations},
      {"CleanStaleResticCRs", kStaleRestic, clean_stale_restic_crs},
      {"CleanStaleVeleroCRs", "Deleting incomplete Velero Backups and Restores created by past migration attempts.",
       clean_stale_velero_crs},
      {"RestartVelero", "Restarting Velero Pods, ensuring work queue is empty.", pass},
      {"CleanStaleStagePods", "Deleting any leftover stage Pods.", clean_stale_movers},
      {"WaitForStaleStagePodsTerminated", "Waiting for leftover stage Pod deletion to finish.", wait_for_stale_movers},
      {"CreateRegistries", "Creating migration registries on source and target clusters.", not_built},
      {"WaitForVeleroReady", "Waiting for Velero Pods to restart, ensuring work queue is empty.", pass},
      {"WaitForResticReady", "Waiting for Restic Pods to restart, ensuring latest PVC mounts are available.", pass},
      {"WaitForRegistriesReady", "Waiting for migration registries on source and target clusters to become healthy.",
       not_built},
      {"EnsureCloudSecretPropagated", "Ensuring Velero has latest Replication Repository storage credentials.",
       ensure_cloud_secret_propagated},
      {"PreBackupHooks", "Running PreBackup hooks.", pass},
      {"CreateDirectImageMigration", "Creating Direct Image Migration", not_built},
      {"EnsureInitialBackup", "Creating initial Velero backup.", ensure_initial_backup},
      {"InitialBackupCreated", "Waiting for initial Velero backup to complete.", initial_backup_created},
      {"EnsureStagePodsFromRunning", "Creating Stage Pods from running Pods.", pass},
      {"EnsureStagePodsFromTemplates", "Creating Stage Pods from workload templates.", pass},
      {"EnsureStagePodsFromOrphanedPVCs", "Creating Stage Pods for unmounted PVCs.", pass},
      {"StagePodsCreated", "Waiting for all Stage Pods to start.", not_built},
      {"AnnotateResources", "Annotating PVs, PVCs, Pods and Namespaces.", annotate_resources},
      {"QuiesceApplications", kQuiesce, quiesce_applications},
      {"EnsureQuiesced", kWaitQuiesce, ensure_quiesced},
      {"CreateDirectVolumeMigration", "Creating Direct Volume Migration", create_volume_migration},
      {"EnsureStageBackup", "Creating a stage backup.", ensure_stage_backup},
      {"StageBackupCreated", "Waiting for stage backup to complete.", stage_backup_created},
      {"EnsureStageBackupReplicated", "Waiting for stage backup replication to target cluster.",
       ensure_stage_backup_replicated},
      {"EnsureStageRestore", "Creating a stage restore.", ensure_stage_restore},
      {"StageRestoreCreated", "Waiting for stage restore to complete.", stage_restore_created},
      {"EnsureStagePodsDeleted", "Deleting any leftover stage Pods.", pass},
      {"EnsureStagePodsTerminated", "Waiting for Stage Pod deletion to finish.", not_built},
      {"WaitForDirectImageMigrationToComplete", "Waiting for Direct Image Migration to complete.", not_built},
      {"WaitForDirectVolumeMigrationToComplete", "Waiting for Direct Volume Migration to complete.",
       wait_for_volume_migration},
      {"EnsureAnnotationsDeleted", "Removing migration annotations and labels.", ensure_annotations_deleted},
      {"EnsureInitialBackupReplicated", "Waiting for initial Velero backup replication to target cluster.",
       ensure_initial_backup_replicated},
      {"PostBackupHooks", "Running PostBackup hooks.", pass},
      {"PreRestoreHooks", "Running PreRestore hooks.", pass},
      {"EnsureFinalRestore", "Creating final Velero restore.", ensure_final_restore},
      {"FinalRestoreCreated", "Waiting for final Velero restore to complete.", final_restore_created},
      {"UnQuiesceDestApplications", kUnquiesceDestination, unquiesce_destination},
      {"PostRestoreHooks", "Running PostRestore hooks.", pass},
      {"DeleteRegistries", "Deleting migration registries on source and target clusters.", pass},
      {"Verification", "Verifying health of migrated Pods.", verification},
      {"Completed", "Migration completed.", pass},
      {"QuiesceSourceApplications", kQuiesce, quiesce_applications},
      {"EnsureSrcQuiesced", kWaitQuiesce, ensure_quiesced},
      {"CreateDirectVolumeMigrationStage", "Creating Direct Volume Migration", create_volume_migration},
      {"RestartRestic", "Restarting Restic Pods.", not_built},
      {"SwapPVCReferences", "", swap_claim_references},
      {"Canceling", "Cancelling migration.", canceling},
      {"DeleteBackups", "Deleting Velero Backups created by this migration.", delete_backups},
      {"DeleteRestores", "Deleting Velero Restores created by this migration.", delete_restores},
      {"DeleteHookJobs", "Deleting hook Jobs.", pass},
      {"DeleteDirectVolumeMigrationResources", "", delete_volume_migration},
      {"DeleteDirectImageMigrationResources", "", pass},
      {"UnQuiesceSrcApplications", kUnquiesceSource, unquiesce_source},
      {"Canceled", "Migration canceled.", canceled},
      {"MigrationFailed", "Migration failed.", stop_volumes},
      {"Rollback", "Starting rollback.", begin_rollback},
      {"QuiesceDestinationApplications", "", quiesce_destination},
      {"EnsureDestQuiesced", "", ensure_destination_quiesced},
      {"CreateDirectVolumeMigrationRollback", "", not_built},
      {"WaitForDirectVolumeMigrationToRollbackComplete", "", not_built},
      {"DeleteMigrated", "Deleting migrated application resources from the target cluster.", delete_migrated},
      {"EnsureMigratedDeleted", "Waiting for migrated application resource deletion to finish.",
       ensure_migrated_deleted},
  };
  return all;
}

}  // namespace

const Phase& phase_of(std::string_view name) {
  const auto at = std::ranges::find(phases(), name, &Phase::name);
  if (at == phases().end()) throw Error(Code::kInternal, "no such phase: " + std::string(name));
  return *at;
}

}  // namespace mtc::migrate
