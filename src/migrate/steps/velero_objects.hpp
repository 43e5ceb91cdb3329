#pragma once

#include "migrate/migration.hpp"

namespace mtc::migrate {

/// The environment that a backup or restore of this migration runs in.
backup::Environment environment_of(const Migration& m, kube::ClientPtr cluster);
/// "Backup openshift-migration/x: 3 out of estimated total of 10 objects backed up (5s)" (spec migration.md §12.4).
std::string backup_line(const Json& backup, std::int64_t done, std::int64_t total, Time now);
/// "Restore openshift-migration/x: 3 out of estimated total of 10 objects restored (5s)".
std::string restore_line(const Json& restore, std::int64_t done, std::int64_t total, Time now);
/// Failed items as reasons, at most twenty, then how many more.
std::vector<std::string> reasons_of(const backup::Outcome& outcome, const std::string& object);
/// Merges `status` into the object's status, if that changes anything.
Task<void> write_status(kube::ClientPtr cluster, kube::ResourceType type, const Json* object, Json status);

}  // namespace mtc::migrate
