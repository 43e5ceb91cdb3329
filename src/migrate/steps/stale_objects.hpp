#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "migrate/migration.hpp"

namespace mtc::migrate {

/// UIDs of this host's migrations that are not over.
Task<std::vector<std::string>> running_migrations(Migration& m);

/// Deletes unfinished Velero objects of that type which this host's migrations made, unless their migration is among
/// `running`: nobody will finish them. Returns how many.
Task<std::size_t> remove_stale(Migration& m, kube::ClientPtr cluster, kube::ResourceType type,
                               const std::vector<std::string>* running);

}  // namespace mtc::migrate
