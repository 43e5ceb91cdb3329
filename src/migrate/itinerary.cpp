#include "migrate/itinerary.hpp"

#include <algorithm>

namespace mtc::migrate {
namespace {

namespace step {
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
constexpr auto kRollbackLiveMigration = "RollbackLiveMigration";
}  // namespace step

/// When a row runs. A row without one always does.
namespace when {
using F = Flags;
const Condition kQuiesce = {.all_of = {&F::quiesce}};
const Condition kVerify = {.all_of = {&F::verify}};
const Condition kVolumes = {.all_of = {&F::has_pvs}};
const Condition kVolumesOrImages = {.any_of = {&F::has_pvs, &F::has_image_streams}};
const Condition kDirectVolume = {.all_of = {&F::direct_volume}};
const Condition kDirectVolumes = {.all_of = {&F::direct_volume, &F::enable_volume}};
const Condition kLiveVolumes = {.all_of = {&F::direct_volume, &F::enable_volume, &F::live_vms}};
const Condition kIndirectVolumes = {.all_of = {&F::has_pvs, &F::indirect_volume}};
const Condition kDirectImage = {.all_of = {&F::direct_image}};
const Condition kDirectImages = {.all_of = {&F::direct_image, &F::enable_image}};
const Condition kIndirectImages = {.all_of = {&F::indirect_image, &F::enable_image, &F::has_image_streams}};
const Condition kStagePods = {.all_of = {&F::has_stage_pods}};
const Condition kStagePodsOfVolumes = {.all_of = {&F::has_pvs, &F::has_stage_pods}};
const Condition kStageBackup = {.all_of = {&F::has_stage_backup}};
const Condition kConversion = {.all_of = {&F::storage_conversion, &F::quiesce}};
const Condition kConversionBack = {.all_of = {&F::storage_conversion}};
}  // namespace when

/// The ten rows that begin Final and Stage.
std::vector<Row> prepare_and(std::vector<Row> rest) {
  std::vector<Row> rows = {
      {"", step::kPrepare},
      {"Started", step::kPrepare},
      {"StartRefresh", step::kPrepare},
      {"WaitForRefresh", step::kPrepare},
      {"CleanStaleAnnotations", step::kPrepare},
      {"CleanStaleResticCRs", step::kPrepare},
      {"CleanStaleVeleroCRs", step::kPrepare},
      {"RestartVelero", step::kPrepare},
      {"CleanStaleStagePods", step::kPrepare},
      {"WaitForStaleStagePodsTerminated", step::kPrepare},
  };
  rows.insert(rows.end(), rest.begin(), rest.end());
  return rows;
}

}  // namespace

bool Condition::holds(const Flags& flags) const {
  const auto is_set = [&](Flag flag) { return flags.*flag; };
  return std::ranges::all_of(all_of, is_set) && (any_of.empty() || std::ranges::any_of(any_of, is_set));
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
    if (rows[i].when.holds(flags)) return rows[i];
  }
  return rows.back();
}

const Itinerary& final_itinerary() {
  static const Itinerary itinerary{
      "Final", prepare_and({
                   {"CreateRegistries", step::kPrepare, when::kIndirectImages},
                   {"WaitForVeleroReady", step::kPrepare},
                   {"WaitForResticReady", step::kPrepare, when::kVolumes},
                   {"WaitForRegistriesReady", step::kPrepare, when::kIndirectImages},
                   {"EnsureCloudSecretPropagated", step::kPrepare},
                   {"PreBackupHooks", step::kBackup},
                   {"CreateDirectImageMigration", step::kBackup, when::kDirectImages},
                   {"EnsureInitialBackup", step::kBackup},
                   {"InitialBackupCreated", step::kBackup},
                   {"EnsureStagePodsFromRunning", step::kStageBackup, when::kIndirectVolumes},
                   {"EnsureStagePodsFromTemplates", step::kStageBackup, when::kIndirectVolumes},
                   {"EnsureStagePodsFromOrphanedPVCs", step::kStageBackup, when::kIndirectVolumes},
                   {"StagePodsCreated", step::kStageBackup, when::kStagePods},
                   {"AnnotateResources", step::kStageBackup, when::kStageBackup},
                   {"QuiesceApplications", step::kStageBackup, when::kQuiesce},
                   {"EnsureQuiesced", step::kStageBackup, when::kQuiesce},
                   {"CreateDirectVolumeMigration", step::kStageBackup, when::kDirectVolumes},
                   {"EnsureStageBackup", step::kStageBackup, when::kStageBackup},
                   {"StageBackupCreated", step::kStageBackup, when::kStageBackup},
                   {"EnsureStageBackupReplicated", step::kStageBackup, when::kStageBackup},
                   {"EnsureStageRestore", step::kStageRestore, when::kStageBackup},
                   {"StageRestoreCreated", step::kStageRestore, when::kStageBackup},
                   {"EnsureStagePodsDeleted", step::kStageRestore, when::kStagePods},
                   {"EnsureStagePodsTerminated", step::kStageRestore, when::kStagePods},
                   {"WaitForDirectImageMigrationToComplete", step::kDirectImage, when::kDirectImages},
                   {"WaitForDirectVolumeMigrationToComplete", step::kDirectVolume, when::kDirectVolumes},
                   {"EnsureAnnotationsDeleted", step::kRestore, when::kStageBackup},
                   {"EnsureInitialBackupReplicated", step::kRestore},
                   {"PostBackupHooks", step::kRestore},
                   {"PreRestoreHooks", step::kRestore},
                   {"EnsureFinalRestore", step::kRestore},
                   {"FinalRestoreCreated", step::kRestore},
                   {"UnQuiesceDestApplications", step::kRestore},
                   {"PostRestoreHooks", step::kRestore},
                   {"DeleteRegistries", step::kCleanup},
                   {"Verification", step::kCleanup, when::kVerify},
                   {"Completed", step::kCleanup},
               })};
  return itinerary;
}

const Itinerary& stage_itinerary() {
  static const Itinerary itinerary{
      "Stage", prepare_and({
                   {"CreateRegistries", step::kPrepare, when::kIndirectImages},
                   {"CreateDirectImageMigration", step::kStageBackup, when::kDirectImages},
                   {"QuiesceSourceApplications", step::kStageBackup, when::kQuiesce},
                   {"EnsureSrcQuiesced", step::kStageBackup, when::kQuiesce},
                   {"CreateDirectVolumeMigrationStage", step::kStageBackup, when::kDirectVolumes},
                   {"EnsureStagePodsFromRunning", step::kStageBackup, when::kIndirectVolumes},
                   {"EnsureStagePodsFromTemplates", step::kStageBackup, when::kIndirectVolumes},
                   {"EnsureStagePodsFromOrphanedPVCs", step::kStageBackup, when::kIndirectVolumes},
                   {"StagePodsCreated", step::kStageBackup, when::kStagePods},
                   {"RestartRestic", step::kStageBackup, when::kStagePods},
                   {"AnnotateResources", step::kStageBackup, when::kStageBackup},
                   {"WaitForVeleroReady", step::kStageBackup},
                   {"WaitForResticReady", step::kStageBackup, when::kStagePodsOfVolumes},
                   {"WaitForRegistriesReady", step::kStageBackup, when::kIndirectImages},
                   {"EnsureCloudSecretPropagated", step::kStageBackup, when::kStageBackup},
                   {"EnsureStageBackup", step::kStageBackup, when::kStageBackup},
                   {"StageBackupCreated", step::kStageBackup, when::kStageBackup},
                   {"EnsureStageBackupReplicated", step::kStageBackup, when::kStageBackup},
                   {"EnsureStageRestore", step::kStageRestore, when::kStageBackup},
                   {"StageRestoreCreated", step::kStageRestore, when::kStageBackup},
                   {"WaitForDirectImageMigrationToComplete", step::kDirectImage, when::kDirectImages},
                   {"WaitForDirectVolumeMigrationToComplete", step::kDirectVolume, when::kDirectVolumes},
                   {"SwapPVCReferences", step::kCleanup, when::kConversion},
                   {"DeleteRegistries", step::kCleanup},
                   {"EnsureStagePodsDeleted", step::kCleanup, when::kStagePods},
                   {"EnsureStagePodsTerminated", step::kCleanup, when::kStagePods},
                   {"EnsureAnnotationsDeleted", step::kCleanup, when::kStageBackup},
                   {"Completed", step::kCleanup},
               })};
  return itinerary;
}

const Itinerary& cancel_itinerary() {
  static const Itinerary itinerary{
      "Cancel",
      {
          {"Canceling", step::kCleanupVelero},
          {"DeleteBackups", step::kCleanupVelero},
          {"DeleteRestores", step::kCleanupVelero},
          {"DeleteRegistries", step::kCleanupHelpers},
          {"DeleteHookJobs", step::kCleanupHelpers},
          {"DeleteDirectVolumeMigrationResources", step::kCleanupHelpers, when::kDirectVolume},
          {"DeleteDirectImageMigrationResources", step::kCleanupHelpers, when::kDirectImage},
          {"EnsureStagePodsDeleted", step::kCleanupHelpers, when::kStagePods},
          {"EnsureAnnotationsDeleted", step::kCleanupHelpers, when::kStageBackup},
          {"UnQuiesceSrcApplications", step::kCleanupUnquiesce},
          {"Canceled", step::kCleanup},
          {"Completed", step::kCleanup},
      }};
  return itinerary;
}

const Itinerary& failed_itinerary() {
  static const Itinerary itinerary{"Failed",
                                   {
                                       {"MigrationFailed", step::kCleanupHelpers},
                                       {"DeleteRegistries", step::kCleanupHelpers},
                                       {"EnsureAnnotationsDeleted", step::kCleanupHelpers, when::kStageBackup},
                                       {"Completed", step::kCleanup},
                                   }};
  return itinerary;
}

const Itinerary& rollback_itinerary() {
  static const Itinerary itinerary{
      "Rollback",
      {
          {"Rollback", step::kCleanupVelero},
          {"DeleteBackups", step::kCleanupVelero},
          {"DeleteRestores", step::kCleanupVelero},
          {"DeleteRegistries", step::kCleanupHelpers},
          {"EnsureStagePodsDeleted", step::kCleanupHelpers},
          {"EnsureAnnotationsDeleted", step::kCleanupHelpers, when::kVolumesOrImages},
          {"QuiesceDestinationApplications", step::kCleanupMigrated, when::kDirectVolumes},
          {"EnsureDestQuiesced", step::kCleanupMigrated, when::kDirectVolumes},
          {"SwapPVCReferences", step::kCleanupMigrated, when::kConversionBack},
          {"CreateDirectVolumeMigrationRollback", step::kRollbackLiveMigration, when::kLiveVolumes},
          {"WaitForDirectVolumeMigrationToRollbackComplete", step::kRollbackLiveMigration, when::kLiveVolumes},
          {"DeleteMigrated", step::kCleanupMigrated},
          {"EnsureMigratedDeleted", step::kCleanupMigrated},
          {"UnQuiesceSrcApplications", step::kCleanupUnquiesce},
          {"Completed", step::kCleanup},
      }};
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
