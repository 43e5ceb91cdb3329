#pragma once

#include "migrate/indirect/walk.hpp"

namespace mtc::migrate::indirect {

/// Volumes into the repositories, for a stage Backup.
Direction into_repository(const Migration& m, Json backup);
/// Volumes out of them, for a stage Restore. Needs the PodVolumeBackups of its Backup on the source.
Direction out_of_repository(const Migration& m, Json restore);

}  // namespace mtc::migrate::indirect
