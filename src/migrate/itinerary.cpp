#include "migrate/itinerary.hpp"

#include <algorithm>

#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kPrepare = "Prepare";
constexpr auto kBackup = "Backup";
constexpr auto kStageBackup = "StageBackup";
constexpr auto kStageRestore = "StageRestore";
constexpr auto kDirectImage = "DirectImage";
constexpr auto kDirectVolume = "DirectVolume";
constexpr auto kRestore = "Restore";
constexpr auto kCleanup = "Cleanup";
constexpr auto kCleanupVelero = "CleanupVelero";
constexpr auto kCleanupHelpers = "CleanupHelpers";
constexpr auto kCleanupMigrated = "CleanupMigrated";
constexpr auto kCleanupUnquiesce = "CleanupUnquiesce";
constexpr auto kRollbackLive = "RollbackLiveMigration";

constexpr auto kRefreshText = "Starting refresh on MigPlan, MigStorage and MigCluster resources";
constexpr auto kWaitRefreshText = "Waiting for refresh of MigPlan, MigStorage and MigCluster resources to complete";
constexpr auto kAnnotationsText =
    "Removing leftover migration annotations and labels from PVs, PVCs, Pods, ImageStreams, and Namespaces. "
    "Annotations and labels provide "
    "migration instructions to Velero, Velero Plugins and Restic.";
constexpr auto kResticText =
    "Deleting incomplete Restic PodVolumeBackups and PodVolumeRestores created by past migration attempts.";
constexpr auto kVeleroText = "Deleting incomplete Velero Backups and Restores created by past migration attempts.";
constexpr auto kRestartText = "Restarting Velero Pods, ensuring work queue is empty.";
constexpr auto kWaitVeleroText = "Waiting for Velero Pods to restart, ensuring work queue is empty.";
constexpr auto kStalePodsText = "Deleting any leftover stage Pods.";
constexpr auto kWaitStalePodsText = "Waiting for leftover stage Pod deletion to finish.";
constexpr auto kSecretText = "Ensuring Velero has latest Replication Repository storage credentials.";
constexpr auto kRegistriesText = "Creating migration registries on source and target clusters.";
constexpr auto kWaitRegistriesText =
    "Waiting for migration registries on source and target clusters to become healthy.";
constexpr auto kDeleteRegistriesText = "Deleting migration registries on source and target clusters.";
constexpr auto kQuiesceText =
    "Quiescing (Scaling to 0 replicas): Deployments, DeploymentConfigs, StatefulSets, ReplicaSets, DaemonSets, "
    "CronJobs, Jobs and Virtual "
    "Machines in source namespace.";
constexpr auto kWaitQuiesceText =
    "Waiting for Quiesce (Scaling to 0 replicas) to finish for Deployments, DeploymentConfigs, StatefulSets, "
    "ReplicaSets, DaemonSets, CronJobs, "
    "Jobs and Virtual Machines in source namespace.";
constexpr auto kUnquiesceText =
    "UnQuiescing (Scaling to N replicas) target cluster Deployments, DeploymentConfigs, StatefulSets, ReplicaSets, "
    "DaemonSets, CronJobs, Jobs "
    "and Virtual Machines.";
constexpr auto kUnquiesceSourceText =
    "UnQuiescing (Scaling to N replicas) source cluster Deployments, DeploymentConfigs, StatefulSets, ReplicaSets, "
    "DaemonSets, CronJobs, Jobs "
    "and Virtual Machines.";

/// The ten rows that begin Final and Stage.
std::vector<Row> prepare_rows() {
  return {{"", kPrepare, "", pass},
          {"Started", kPrepare, "Migration started.", pass},
          {"StartRefresh", kPrepare, kRefreshText, start_refresh},
          {"WaitForRefresh", kPrepare, kWaitRefreshText, wait_for_refresh},
          {"CleanStaleAnnotations", kPrepare, kAnnotationsText, pass},
          {"CleanStaleResticCRs", kPrepare, kResticText, pass},
          {"CleanStaleVeleroCRs", kPrepare, kVeleroText, clean_stale_velero_crs},
          {"RestartVelero", kPrepare, kRestartText, pass},
          {"CleanStaleStagePods", kPrepare, kStalePodsText, pass},
          {"WaitForStaleStagePodsTerminated", kPrepare, kWaitStalePodsText, pass}};
}

std::vector<Row> joined(std::vector<Row> first, std::vector<Row> second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

using F = Flags;

}  // namespace

bool Row::applies(const Flags& flags) const {
  const auto holds = [&](Flag flag) { return flags.*flag; };
  return std::ranges::all_of(all_of, holds) && (any_of.empty() || std::ranges::any_of(any_of, holds));
}

const Row* Itinerary::find(std::string_view phase) const {
  const auto at = std::ranges::find(rows, phase, &Row::phase);
  return at == rows.end() ? nullptr : &*at;
}

std::size_t Itinerary::position(std::string_view phase) const {
  const auto* row = find(phase);
  return row == nullptr ? 0 : static_cast<std::size_t>(row - rows.data()) + 1;
}

const Row& Itinerary::next(std::string_view phase, const Flags& flags) const {
  const auto here = position(phase);
  if (here == 0) return rows.back();
  for (auto i = here; i < rows.size(); ++i) {
    if (rows[i].applies(flags)) return rows[i];
  }
  return rows.back();
}

const Itinerary& final_itinerary() {
  static const Itinerary itinerary{
      "Final",
      joined(
          prepare_rows(),
          {{"CreateRegistries",
            kPrepare,
            kRegistriesText,
            not_built,
            {&F::indirect_image, &F::enable_image, &F::has_image_streams}},
           {"WaitForVeleroReady", kPrepare, kWaitVeleroText, pass},
           {"WaitForResticReady",
            kPrepare,
            "Waiting for Restic Pods to restart, ensuring latest PVC mounts are available.",
            not_built,
            {},
            {&F::has_pvs}},
           {"WaitForRegistriesReady",
            kPrepare,
            kWaitRegistriesText,
            not_built,
            {&F::indirect_image, &F::enable_image, &F::has_image_streams}},
           {"EnsureCloudSecretPropagated", kPrepare, kSecretText, ensure_cloud_secret_propagated},
           {"PreBackupHooks", kBackup, "Running PreBackup hooks.", pass},
           {"CreateDirectImageMigration",
            kBackup,
            "Creating Direct Image Migration",
            not_built,
            {&F::direct_image, &F::enable_image}},
           {"EnsureInitialBackup", kBackup, "Creating initial Velero backup.", ensure_initial_backup},
           {"InitialBackupCreated", kBackup, "Waiting for initial Velero backup to complete.", initial_backup_created},
           {"EnsureStagePodsFromRunning",
            kStageBackup,
            "Creating Stage Pods from running Pods.",
            not_built,
            {&F::has_pvs, &F::indirect_volume}},
           {"EnsureStagePodsFromTemplates",
            kStageBackup,
            "Creating Stage Pods from workload templates.",
            not_built,
            {&F::has_pvs, &F::indirect_volume}},
           {"EnsureStagePodsFromOrphanedPVCs",
            kStageBackup,
            "Creating Stage Pods for unmounted PVCs.",
            not_built,
            {&F::has_pvs, &F::indirect_volume}},
           {"StagePodsCreated", kStageBackup, "Waiting for all Stage Pods to start.", not_built, {&F::has_stage_pods}},
           {"AnnotateResources",
            kStageBackup,
            "Annotating PVs, PVCs, Pods and Namespaces.",
            not_built,
            {&F::has_stage_backup}},
           {"QuiesceApplications", kStageBackup, kQuiesceText, quiesce_applications, {&F::quiesce}},
           {"EnsureQuiesced", kStageBackup, kWaitQuiesceText, ensure_quiesced, {&F::quiesce}},
           {"CreateDirectVolumeMigration",
            kStageBackup,
            "Creating Direct Volume Migration",
            not_built,
            {&F::direct_volume, &F::enable_volume}},
           {"EnsureStageBackup", kStageBackup, "Creating a stage backup.", not_built, {&F::has_stage_backup}},
           {"StageBackupCreated",
            kStageBackup,
            "Waiting for stage backup to complete.",
            not_built,
            {&F::has_stage_backup}},
           {"EnsureStageBackupReplicated",
            kStageBackup,
            "Waiting for stage backup replication to target cluster.",
            not_built,
            {&F::has_stage_backup}},
           {"EnsureStageRestore", kStageRestore, "Creating a stage restore.", not_built, {&F::has_stage_backup}},
           {"StageRestoreCreated",
            kStageRestore,
            "Waiting for stage restore to complete.",
            not_built,
            {&F::has_stage_backup}},
           {"EnsureStagePodsDeleted",
            kStageRestore,
            "Deleting any leftover stage Pods.",
            not_built,
            {&F::has_stage_pods}},
           {"EnsureStagePodsTerminated",
            kStageRestore,
            "Waiting for Stage Pod deletion to finish.",
            not_built,
            {&F::has_stage_pods}},
           {"WaitForDirectImageMigrationToComplete",
            kDirectImage,
            "Waiting for Direct Image Migration to complete.",
            not_built,
            {&F::direct_image, &F::enable_image}},
           {"WaitForDirectVolumeMigrationToComplete",
            kDirectVolume,
            "Waiting for Direct Volume Migration to complete.",
            not_built,
            {&F::direct_volume, &F::enable_volume}},
           {"EnsureAnnotationsDeleted",
            kRestore,
            "Removing migration annotations and labels.",
            not_built,
            {&F::has_stage_backup}},
           {"EnsureInitialBackupReplicated", kRestore,
            "Waiting for initial Velero backup replication to target cluster.", ensure_initial_backup_replicated},
           {"PostBackupHooks", kRestore, "Running PostBackup hooks.", pass},
           {"PreRestoreHooks", kRestore, "Running PreRestore hooks.", pass},
           {"EnsureFinalRestore", kRestore, "Creating final Velero restore.", ensure_final_restore},
           {"FinalRestoreCreated", kRestore, "Waiting for final Velero restore to complete.", final_restore_created},
           {"UnQuiesceDestApplications", kRestore, kUnquiesceText, unquiesce_destination},
           {"PostRestoreHooks", kRestore, "Running PostRestore hooks.", pass},
           {"DeleteRegistries", kCleanup, kDeleteRegistriesText, pass},
           {"Verification", kCleanup, "Verifying health of migrated Pods.", verification, {&F::verify}},
           {"Completed", kCleanup, "Migration completed.", pass}})};
  return itinerary;
}

const Itinerary& stage_itinerary() {
  static const Itinerary itinerary{
      "Stage",
      joined(
          prepare_rows(),
          {{"CreateRegistries",
            kPrepare,
            kRegistriesText,
            not_built,
            {&F::indirect_image, &F::enable_image, &F::has_image_streams}},
           {"CreateDirectImageMigration",
            kStageBackup,
            "Creating Direct Image Migration",
            not_built,
            {&F::direct_image, &F::enable_image}},
           {"QuiesceSourceApplications", kStageBackup, kQuiesceText, quiesce_applications, {&F::quiesce}},
           {"EnsureSrcQuiesced", kStageBackup, kWaitQuiesceText, ensure_quiesced, {&F::quiesce}},
           {"CreateDirectVolumeMigrationStage",
            kStageBackup,
            "Creating Direct Volume Migration",
            not_built,
            {&F::direct_volume, &F::enable_volume}},
           {"EnsureStagePodsFromRunning",
            kStageBackup,
            "Creating Stage Pods from running Pods.",
            not_built,
            {&F::has_pvs, &F::indirect_volume}},
           {"EnsureStagePodsFromTemplates",
            kStageBackup,
            "Creating Stage Pods from workload templates.",
            not_built,
            {&F::has_pvs, &F::indirect_volume}},
           {"EnsureStagePodsFromOrphanedPVCs",
            kStageBackup,
            "Creating Stage Pods for unmounted PVCs.",
            not_built,
            {&F::has_pvs, &F::indirect_volume}},
           {"StagePodsCreated", kStageBackup, "Waiting for all Stage Pods to start.", not_built, {&F::has_stage_pods}},
           {"RestartRestic", kStageBackup, "Restarting Restic Pods.", not_built, {&F::has_stage_pods}},
           {"AnnotateResources",
            kStageBackup,
            "Annotating PVs, PVCs, Pods and Namespaces.",
            not_built,
            {&F::has_stage_backup}},
           {"WaitForVeleroReady", kStageBackup, kWaitVeleroText, pass},
           {"WaitForResticReady",
            kStageBackup,
            "Waiting for Restic Pods to restart.",
            not_built,
            {&F::has_pvs, &F::has_stage_pods}},
           {"WaitForRegistriesReady",
            kStageBackup,
            kWaitRegistriesText,
            not_built,
            {&F::indirect_image, &F::enable_image, &F::has_image_streams}},
           {"EnsureCloudSecretPropagated", kStageBackup, kSecretText, not_built, {}, {&F::has_stage_backup}},
           {"EnsureStageBackup", kStageBackup, "Creating a stage backup.", not_built, {&F::has_stage_backup}},
           {"StageBackupCreated",
            kStageBackup,
            "Waiting for stage backup to complete.",
            not_built,
            {&F::has_stage_backup}},
           {"EnsureStageBackupReplicated",
            kStageBackup,
            "Waiting for stage backup replication to target cluster.",
            not_built,
            {&F::has_stage_backup}},
           {"EnsureStageRestore", kStageRestore, "Creating a stage restore.", not_built, {&F::has_stage_backup}},
           {"StageRestoreCreated",
            kStageRestore,
            "Waiting for stage restore to complete.",
            not_built,
            {&F::has_stage_backup}},
           {"WaitForDirectImageMigrationToComplete",
            kDirectImage,
            "Waiting for Direct Image Migration to complete.",
            not_built,
            {&F::direct_image, &F::enable_image}},
           {"WaitForDirectVolumeMigrationToComplete",
            kDirectVolume,
            "Waiting for Direct Volume Migration to complete.",
            not_built,
            {&F::direct_volume, &F::enable_volume}},
           {"SwapPVCReferences", kCleanup, "", not_built, {&F::has_pvs, &F::quiesce}},
           {"DeleteRegistries", kCleanup, kDeleteRegistriesText, pass},
           {"EnsureStagePodsDeleted", kCleanup, kStalePodsText, not_built, {&F::has_stage_pods}},
           {"EnsureStagePodsTerminated",
            kCleanup,
            "Waiting for Stage Pod deletion to finish.",
            not_built,
            {&F::has_stage_pods}},
           {"EnsureAnnotationsDeleted",
            kCleanup,
            "Removing migration annotations and labels.",
            not_built,
            {&F::has_stage_backup}},
           {"Completed", kCleanup, "Migration completed.", pass}})};
  return itinerary;
}

const Itinerary& cancel_itinerary() {
  static const Itinerary itinerary{
      "Cancel",
      {{"Canceling", kCleanupVelero, "Cancelling migration.", canceling},
       {"DeleteBackups", kCleanupVelero, "Deleting Velero Backups created by this migration.", delete_backups},
       {"DeleteRestores", kCleanupVelero, "Deleting Velero Restores created by this migration.", delete_restores},
       {"DeleteRegistries", kCleanupHelpers, kDeleteRegistriesText, pass},
       {"DeleteHookJobs", kCleanupHelpers, "Deleting hook Jobs.", pass},
       {"DeleteDirectVolumeMigrationResources", kCleanupHelpers, "", not_built, {&F::direct_volume}},
       {"DeleteDirectImageMigrationResources", kCleanupHelpers, "", not_built, {&F::direct_image, &F::enable_image}},
       {"EnsureStagePodsDeleted", kCleanupHelpers, kStalePodsText, not_built, {&F::has_stage_pods}},
       {"EnsureAnnotationsDeleted",
        kCleanupHelpers,
        "Removing migration annotations and labels.",
        not_built,
        {&F::has_stage_backup}},
       {"UnQuiesceSrcApplications", kCleanupUnquiesce, kUnquiesceSourceText, unquiesce_source},
       {"Canceled", kCleanup, "Migration canceled.", canceled},
       {"Completed", kCleanup, "Migration completed.", pass}}};
  return itinerary;
}

const Itinerary& failed_itinerary() {
  static const Itinerary itinerary{"Failed",
                                   {{"MigrationFailed", kCleanupHelpers, "Migration failed.", pass},
                                    {"DeleteRegistries", kCleanupHelpers, kDeleteRegistriesText, pass},
                                    {"EnsureAnnotationsDeleted",
                                     kCleanupHelpers,
                                     "Removing migration annotations and labels.",
                                     not_built,
                                     {&F::has_stage_backup}},
                                    {"Completed", kCleanup, "Migration completed.", pass}}};
  return itinerary;
}

const Itinerary& rollback_itinerary() {
  static const Itinerary itinerary{
      "Rollback",
      {{"Rollback", kCleanupVelero, "Starting rollback.", pass},
       {"DeleteBackups", kCleanupVelero, "Deleting Velero Backups created by this plan.", delete_backups},
       {"DeleteRestores", kCleanupVelero, "Deleting Velero Restores created by this plan.", delete_restores},
       {"DeleteRegistries", kCleanupHelpers, kDeleteRegistriesText, pass},
       {"EnsureStagePodsDeleted", kCleanupHelpers, kStalePodsText, pass},
       {"EnsureAnnotationsDeleted",
        kCleanupHelpers,
        "Removing migration annotations and labels.",
        not_built,
        {},
        {&F::has_pvs, &F::has_image_streams}},
       {"QuiesceDestinationApplications", kCleanupMigrated, "", not_built, {&F::direct_volume, &F::enable_volume}},
       {"EnsureDestQuiesced", kCleanupMigrated, "", not_built, {&F::direct_volume, &F::enable_volume}},
       {"SwapPVCReferences", kCleanupMigrated, "", not_built, {&F::has_pvs}},
       {"CreateDirectVolumeMigrationRollback", kRollbackLive, "", not_built, {&F::direct_volume, &F::enable_volume}},
       {"WaitForDirectVolumeMigrationToRollbackComplete",
        kRollbackLive,
        "",
        not_built,
        {&F::direct_volume, &F::enable_volume}},
       {"DeleteMigrated", kCleanupMigrated, "Deleting migrated application resources from the target cluster.",
        delete_migrated},
       {"EnsureMigratedDeleted", kCleanupMigrated, "Waiting for migrated application resource deletion to finish.",
        ensure_migrated_deleted},
       {"UnQuiesceSrcApplications", kCleanupUnquiesce, kUnquiesceSourceText, unquiesce_source},
       {"Completed", kCleanup, "Migration completed.", pass}}};
  return itinerary;
}

const Itinerary& itinerary_of(const api::MigMigration& migration, const api::Conditions& conditions) {
  if (!migration.errors.empty() || conditions.has("Failed")) return failed_itinerary();
  if (migration.canceled || conditions.has("Canceling") || conditions.has("Canceled")) return cancel_itinerary();
  if (migration.rollback) return rollback_itinerary();
  if (migration.stage || migration.migrate_state) return stage_itinerary();
  return final_itinerary();
}

}  // namespace mtc::migrate
