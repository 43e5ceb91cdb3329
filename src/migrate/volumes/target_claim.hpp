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

/// The claim of the destination (spec direct-volume.md §6): class and access modes as asked for, volume mode of the
/// source, size as plan::target_request() has it, without what binds it to the source's volume. A selector would keep
/// it from being provisioned, so it does not travel. `volume` is the source's PersistentVolume, or empty; only devices
/// need it.
Json target_claim(const Maker& maker, const api::ClaimCopy& claim, const Json& source, const Json& volume);

/// Why the claim that is on the destination cannot take the content of this one; "" if it can: it was made by the same
/// plan or DirectVolumeMigration, and is of the same mode. `target` is what target_claim() says.
std::string refusal_of(const Maker& maker, const Json& existing, const Json& target);

/// Why the claim that is on the destination has too little room, unless it can grow; "" if it has enough. A device
/// needs what `target` asks for, files what is wanted of `claim`, or nothing.
std::string shortage_of(const api::ClaimCopy& claim, const Json& existing, const Json& target);
/// A merge patch by which it asks for what `target` does; null if it has as much, or asks for it.
Json growth_of(const Json& existing, const Json& target);
/// Whether it still has less than `target` asks for. Where nothing but a pod that mounts it is missing, it has not.
bool is_growing(const Json& existing, const Json& target);

}  // namespace mtc::migrate::volumes
