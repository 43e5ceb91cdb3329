#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrate/migration.hpp"

namespace mtc::migrate {

/// The DirectVolumeMigration of a migration: "<migration>-<part of the UID>", the same for every try.
std::string volume_migration_name(const Migration& m);
/// As it is created: one entry for each volume that the plan copies directly (spec migration.md §11.1).
Json volume_migration_of(const Migration& m);
/// nullopt if there is none.
Task<std::optional<Json>> find_volume_migration(Migration& m);
/// Its changes.
Subject volume_migration_subject(const Migration& m);

/// "[data] shop/rsync-1: Running - Attempt 2 of 20 42% (Transfer rate 1.50MB/s) (5s)", sorted, and what they add up to
/// (spec migration.md §11.3).
std::vector<std::string> volume_lines(const Json& volume_migration, std::int64_t attempts);

}  // namespace mtc::migrate
