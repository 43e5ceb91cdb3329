#pragma once

#include <string>
#include <vector>

#include "migrate/migration.hpp"

namespace mtc::migrate::report {

/// What the copy of one claim came to.
struct VolumeResult {
  api::Ref source, target;
  bool succeeded = false;
  Json facts;  ///< "files", "bytes", "movedBytes", "verified", "root": as its mover told; an object
};

/// The report of a migration that has ended (docs/reference/report.md). `status` is its status, `items` what became of
/// each object: backup::read_items, null if no restore ran. Pure.
Json make(const Migration& m, const Json& status, const Json& items, const std::vector<VolumeResult>& volumes);
/// For a person.
std::string text(const Json& report);

/// Of a migration that has just ended: every claim that it copied or moved, or should have. Throws Error.
Task<std::vector<VolumeResult>> volume_results(Migration& m);
/// Makes the report of a migration that has just ended, signs it with the host's key, and stores it on the host, where
/// it goes with its migration. Safe to repeat. Throws Error.
Task<void> store(Migration& m, const Json& status, const std::vector<VolumeResult>& volumes);

/// The signed report of a migration; nullopt if it has none.
Task<std::optional<Json>> load(kube::ClientPtr host, std::string migration_uid);
/// The public half of the host's key; "" if the host has not signed anything yet.
Task<std::string> public_key(kube::ClientPtr host);

}  // namespace mtc::migrate::report
