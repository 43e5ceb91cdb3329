#pragma once

#include <string>
#include <vector>

#include "migrate/indirect/staging.hpp"

/// Volumes whose user selected the copy method snapshot: the mover of the source reads a claim that was made of a CSI
/// VolumeSnapshot, and not the claim that the application writes to. Both have one name, which comes of the
/// migration's UID, and labels as all helpers have.
namespace mtc::migrate::indirect {

/// Of the VolumeSnapshot of a claim, and of the claim that is made of it.
std::string snapshot_name(const Migration& m, const api::Ref& claim);
/// The claim of the source that a mover reads.
api::Ref claim_to_read(const Migration& m, const api::PlanVolume& volume);

/// Takes the snapshots, waits until they can be used, and makes claims of them. Fails if one is not usable in time
/// (snapshotCreationTimeout of the MigStorage, ten minutes if it is not set), or cannot be at all.
Task<Outcome> ensure_snapshots(Migration& m, std::string failed_phase);
/// Deletes what was made for a volume.
Task<void> remove_snapshot(Migration& m, api::PlanVolume volume);

/// Snapshots, and claims that were made of them, in the namespaces of the source.
Task<std::vector<volumes::Helper>> snapshots_at(const Migration& m, volumes::Places places, std::string selector);
/// Deletes such; also what a snapshot holds in the storage, whatever its class says: it was of no use to anybody else.
Task<void> remove_snapshots(std::vector<volumes::Helper> which);

}  // namespace mtc::migrate::indirect
