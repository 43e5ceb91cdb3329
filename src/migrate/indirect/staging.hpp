#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/volumes.hpp"
#include "migrate/migration.hpp"
#include "migrate/volumes/destination.hpp"
#include "migrate/volumes/helpers.hpp"

/// Volumes through the bucket: a pod on the source puts a claim's files into a repository there, a pod on the
/// destination takes them out. Velero's PodVolumeBackup and PodVolumeRestore say how each fares.
namespace mtc::migrate::indirect {

using volumes::Side;

/// The volumes that a migration carries so, in the order of its plan; none if an operator has taken volumes out of all
/// plans.
std::vector<api::PlanVolume> staged_volumes(const Migration& m);
/// Whether there may be movers of the plan: one without volumes never had any, and its account need not see Secrets.
bool may_have_movers(const Migration& m);
/// Whether there may be marks of the plan (marks.hpp): volumes that are moved have them, too.
bool may_have_marks(const Migration& m);
/// What is made on the destination for them. `failed_phase` as in Outcome.
volumes::Destination destination_of(const Migration& m, std::string failed_phase);

// Names and labels of the helpers, pods and Secrets. All names hold digits that are made from the migration's UID: two
// migrations never meet, and a killed controller never makes a second one of anything.

Json mover_labels(const Migration& m);
/// Of the mover of a claim (of its own side): its number too.
Json mover_labels(const Migration& m, const api::Ref& claim, std::int64_t attempt);
std::string mover_name(const Migration& m, Side side, const api::Ref& claim, std::int64_t attempt);
std::string secret_name(const Migration& m, Side side);
/// "<Backup>-<ten digits of the claim of the source>": of a PodVolumeBackup or PodVolumeRestore.
std::string pod_volume_name(const Json& parent, const api::PlanVolume& volume);

/// Finds the helpers of this migration, and of all migrations of its plan.
std::string helpers_of_migration(const Migration& m);
std::string helpers_of_plan(const Migration& m);
/// The namespaces of the plan on both sides, or on one.
volumes::Places places_of(const Migration& m);
volumes::Places places_of(const Migration& m, Side side);

/// Helpers that match `selector`: pods, their Secrets, and on the source snapshots and claims that were made of them.
Task<std::vector<volumes::Helper>> helpers_at(const Migration& m, volumes::Places places, std::string selector);
/// Deletes all of them; returns which are not gone yet.
Task<std::vector<volumes::Helper>> remove_helpers(Migration& m, volumes::Places places, std::string selector);
/// Deletes the helpers of this migration, of both sides or of one; returns which are not gone yet.
Task<std::vector<volumes::Helper>> remove_helpers(Migration& m, volumes::Places places);
/// Deletes the PodVolumeBackups and PodVolumeRestores of this migration, or of the whole plan if it is a rollback.
Task<void> remove_pod_volumes(Migration& m);

}  // namespace mtc::migrate::indirect
