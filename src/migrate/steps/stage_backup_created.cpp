#include "migrate/indirect/directions.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {
namespace {

Task<VolumeWork> back_up_volumes(Migration& m, Json backup) {
  co_return co_await indirect::walk(m, indirect::into_repository(m, std::move(backup)));
}

}  // namespace

/// Waits for the volumes, then for the claims' own archive. A volume that is not whole in the repository fails the
/// migration: the destination could only get what is there.
Task<Outcome> stage_backup_created(Migration& m) {
  return follow(m, {.cluster = m.source,
                    .type = kube::types::backups(),
                    .name = m.velero_name("stage"),
                    .failed_phase = "StageBackupFailed",
                    .done_field = "itemsBackedUp",
                    .first_status = {{"version", 1}, {"formatVersion", "1.1.0"}},
                    .line = backup_line,
                    .run = backup::run_backup,
                    .volumes = back_up_volumes});
}

}  // namespace mtc::migrate
