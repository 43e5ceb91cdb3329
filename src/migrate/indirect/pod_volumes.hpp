#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/volumes.hpp"
#include "migrate/migration.hpp"

namespace mtc::migrate::indirect {

/// A claim's way into the repository or out of it, as its PodVolumeBackup or PodVolumeRestore keeps it over restarts of
/// the controller.
enum class Stand { kWaiting, kActive, kCompleted, kFailed };
Stand stand_of(const Json& pod_volume);
/// Of the mover at work, or the last one; 0 = none was begun.
std::int64_t attempt_of(const Json& pod_volume);
/// The snapshot that a PodVolumeBackup has made; "" if there is none yet.
std::string snapshot_of(const Json& pod_volume);

/// As they are created (velero.md §1.4): nobody's turn yet, and in our hands from the start, so that a Velero that is
/// installed there too leaves them alone. Which node and pod it was is filled in at the end: a node agent that starts
/// looks there for work that it thinks it has lost.
Json pod_volume_backup(const Migration& m, const Json& backup, const api::PlanVolume& volume, const Json& claim);
/// `backed_up` is the PodVolumeBackup whose snapshot it restores.
Json pod_volume_restore(const Migration& m, const Json& restore, const api::PlanVolume& volume, const Json& claim,
                        const Json& backed_up);
/// "s3:https://minio:9000/bucket/velero/restic/<plan UID>/<namespace>", as restic names a repository.
std::string repository_identifier(const Migration& m, const std::string& source_namespace);

/// "PodVolumeBackup openshift-migration/x: 1.20 MB out of 5.00 MB backed up (5s)" (spec migration.md §12.4).
std::string line_of(const Json& pod_volume, Time now);

}  // namespace mtc::migrate::indirect
