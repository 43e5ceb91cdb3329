#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/migration.hpp"

namespace mtc::migrate {

/// The status with which our Backups and Restores are created: a Velero that is installed there too leaves alone what
/// is in progress already (velero.md §1).
Json taken_in_hand();

/// Where the volumes of a Backup or Restore stand, which pods carry.
struct VolumeWork {
  bool done = false;                 ///< none is at work, and none will be begun
  backup::Progress count;            ///< claims
  std::vector<std::string> lines;    ///< for people, after that of the object
  std::vector<Json> objects;         ///< the PodVolumeBackups or PodVolumeRestores
  std::vector<std::string> reasons;  ///< `done`, and some have failed
  std::size_t failed = 0;
  std::size_t differing = 0;     ///< of them: those that were read back and found different
  std::vector<Subject> wake_on;  ///< not `done`
  std::optional<Duration> again_after;
};

/// A Backup or Restore of this migration whose work runs in the background.
struct VeleroWork {
  kube::ClientPtr cluster;  ///< where the object is
  kube::ResourceType type;
  std::string name;
  std::string_view failed_phase;  ///< "InitialBackupFailed"
  std::string_view done_field;    ///< of status.progress: "itemsBackedUp"
  Json first_status;              ///< what its status says besides phase, times and progress
  std::string (*line)(const Json& object, backup::Progress progress, Time now) = nullptr;
  /// May be null: then the volumes are all of the work.
  Task<backup::Outcome> (*run)(backup::Environment environment, Json object, backup::OnProgress on_progress) = nullptr;
  std::function<void(const backup::Outcome&)> on_outcome = {};  ///< called once, when it has ended; may be empty
  /// What comes first, may be null: nothing is published that speaks of volumes which are not there.
  Task<VolumeWork> (*volumes)(Migration& m, Json object) = nullptr;
};
/// Starts the work if it does not run, shows in the object's status and in the migration's progress where it stands,
/// and waits for its end. Fails if the object is gone, the work failed, or one item of it did.
Task<Outcome> follow(Migration& m, VeleroWork work);

/// "(5s)": how long one of Velero's objects took, or has taken so far; "" before it started.
std::string elapsed(const Json& object, Time now);
/// "Backup openshift-migration/x: 3 out of estimated total of 10 objects backed up (5s)" (spec migration.md §12.4).
std::string backup_line(const Json& backup, backup::Progress progress, Time now);
/// "Restore openshift-migration/x: 3 out of estimated total of 10 objects restored (5s)".
std::string restore_line(const Json& restore, backup::Progress progress, Time now);

/// Deletes the objects of that type on the cluster and what they left in the bucket under `velero/<folder>/<name>/`:
/// those of this migration, and those of the whole plan if it is a rollback.
Task<void> remove_velero_objects(Migration& m, kube::ClientPtr cluster, kube::ResourceType type, std::string folder);

}  // namespace mtc::migrate
