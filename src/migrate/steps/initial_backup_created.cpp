#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {

/// Waits for the objects' backup. An object that it does not hold would be lost by the cutover, so a partial one fails
/// the migration here, before anything is scaled down.
Task<Outcome> initial_backup_created(Migration& m) {
  return follow(m, {.cluster = m.source,
                    .type = kube::types::backups(),
                    .name = m.velero_name("initial"),
                    .failed_phase = "InitialBackupFailed",
                    .done_field = "itemsBackedUp",
                    .first_status = {{"version", 1}, {"formatVersion", "1.1.0"}},
                    .line = backup_line,
                    .run = backup::run_backup});
}

}  // namespace mtc::migrate
