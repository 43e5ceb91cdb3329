#pragma once

#include "migrate/migration.hpp"
#include "migrate/quiesce.hpp"

namespace mtc::migrate {

// One function a phase, each idempotent: a controller that is killed inside one runs it again.

/// Phases that only mark a point: Created, Started, rows whose work another row does, and those that would make stage
/// pods or restart node agents, which movers need none of.
Task<Outcome> pass(Migration& m);
Task<Outcome> start_refresh(Migration& m);
Task<Outcome> wait_for_refresh(Migration& m);
Task<Outcome> clean_stale_velero_crs(Migration& m);
Task<Outcome> ensure_cloud_secret_propagated(Migration& m);
Task<Outcome> ensure_initial_backup(Migration& m);
Task<Outcome> initial_backup_created(Migration& m);
Task<Outcome> quiesce_applications(Migration& m);
Task<Outcome> ensure_quiesced(Migration& m);
/// What the two stop on the source: everything, or, where only volumes are moved, what uses them.
Quiesced what_stops(const Migration& m);
Task<Outcome> ensure_initial_backup_replicated(Migration& m);
Task<Outcome> ensure_final_restore(Migration& m);
Task<Outcome> final_restore_created(Migration& m);
Task<Outcome> unquiesce_destination(Migration& m);
Task<Outcome> unquiesce_source(Migration& m);
Task<Outcome> verification(Migration& m);
Task<Outcome> canceling(Migration& m);
Task<Outcome> canceled(Migration& m);
Task<Outcome> delete_backups(Migration& m);
Task<Outcome> delete_restores(Migration& m);
Task<Outcome> begin_rollback(Migration& m);
Task<Outcome> delete_migrated(Migration& m);
Task<Outcome> ensure_migrated_deleted(Migration& m);
Task<Outcome> create_volume_migration(Migration& m);
Task<Outcome> wait_for_volume_migration(Migration& m);
Task<Outcome> delete_volume_migration(Migration& m);
Task<Outcome> stop_volumes(Migration& m);
Task<Outcome> quiesce_destination(Migration& m);
Task<Outcome> ensure_destination_quiesced(Migration& m);
Task<Outcome> clean_stale_annotations(Migration& m);
Task<Outcome> clean_stale_restic_crs(Migration& m);
Task<Outcome> clean_stale_movers(Migration& m);
Task<Outcome> wait_for_stale_movers(Migration& m);
Task<Outcome> annotate_resources(Migration& m);
Task<Outcome> ensure_stage_backup(Migration& m);
Task<Outcome> stage_backup_created(Migration& m);
Task<Outcome> ensure_stage_backup_replicated(Migration& m);
Task<Outcome> ensure_stage_restore(Migration& m);
Task<Outcome> stage_restore_created(Migration& m);
Task<Outcome> ensure_annotations_deleted(Migration& m);
/// Where storage classes are converted: workloads use the new claims, or, in a rollback, the former ones.
Task<Outcome> swap_claim_references(Migration& m);
/// Rows of images, of stage pods and of virtual machines: their flags are false in this release, so reaching one is a
/// bug, reported as such.
Task<Outcome> not_built(Migration& m);

}  // namespace mtc::migrate
