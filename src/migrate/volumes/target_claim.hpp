#pragma once

#include <string>

#include "api/volume_migration.hpp"
#include "json/json.hpp"

namespace mtc::migrate::volumes {

/// Who makes claims on the destination, as labels on them tell: a migration of a plan, or a DirectVolumeMigration that
/// somebody wrote.
struct Maker {
  std::string plan_uid, migration_uid;
  std::string copy_uid = {};  ///< of the DirectVolumeMigration; "" if the files come through the repository
};

/// The claim of the destination (spec direct-volume.md §6): class and access modes as asked for, size and volume mode
/// of the source, without what binds it to the source's volume. A selector would keep it from being provisioned, so it
/// does not travel.
Json target_claim(const Maker& maker, const api::ClaimCopy& claim, const Json& source);

/// Why the claim that is on the destination cannot take the files of this one; "" if it can: it was made by the same
/// plan or DirectVolumeMigration, and holds a file system. `target` is what target_claim() says.
std::string refusal_of(const Maker& maker, const Json& existing, const Json& target);

}  // namespace mtc::migrate::volumes
