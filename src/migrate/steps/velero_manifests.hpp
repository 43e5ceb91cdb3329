#pragma once

#include <string>
#include <string_view>

#include "migrate/migration.hpp"

namespace mtc::migrate {

/// The location that the plan made on the source, by its label; "" if there is none.
Task<std::string> location_name(Migration& m, kube::ResourceType type);
/// What a step says that finds none.
Outcome no_location(const Migration& m);

/// A Backup or Restore of this migration as it is created (spec migration.md §12): `what` is "initial", "stage" or
/// "final", `label` the one that finds it.
Json velero_object(const Migration& m, const kube::ResourceType& type, std::string_view what, const char* label,
                   Json annotations, Json spec);
/// What initial and stage Backups have in common; `location` as location_name() says.
Json backup_spec(const Migration& m, const std::string& location, const std::string& snapshot_location);
/// What stage and final Restores have in common: `backup` is the Backup's name.
Json restore_spec(const Migration& m, const std::string& backup);
/// Annotations of a Restore, and of a stage Backup.
Json velero_annotations(const Migration& m);

/// Puts the Backup `what` on the destination itself, instead of waiting for somebody to find it in the bucket.
Task<void> replicate_backup(Migration& m, std::string_view what);

}  // namespace mtc::migrate
