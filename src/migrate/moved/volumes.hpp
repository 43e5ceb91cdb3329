#pragma once

#include <string>
#include <vector>

#include "api/volumes.hpp"
#include "migrate/migration.hpp"

/// Volumes that are not copied (action move): the PersistentVolume of the source gets a twin on the destination, which
/// is the same storage, bound to a claim of the mapped name. Nothing deletes that storage as long as both are there:
/// the source's is to be retained from the beginning, the destination's until the application runs there. A label on
/// the source's volume says which plan has moved it, from before the twin is made until after it is gone.
namespace mtc::migrate::moved {

/// Those that a migration moves. A stage moves none: nothing of them can be done ahead, and a claim on the destination
/// would let pods there write to what the application on the source still uses.
std::vector<api::PlanVolume> volumes_of(const Migration& m);

/// Whether the applications of the source have been stopped, or will be, if they are to be.
enum class Stopped { kNotYet, kAlready };
/// Why the volumes cannot be moved, [] if they can: one that is not what the plan saw, one of its name that somebody
/// else has on the destination, pods that would go on writing on the source. Changes nothing.
Task<std::vector<std::string>> hindrances(Migration& m, Stopped stopped);

/// Sees to it that no volume of the source goes with its claim; what would have become of it is kept, and not
/// overwritten by a second run.
Task<void> retain_on_source(Migration& m);

/// Makes the twins and their claims. Every one is looked at before the first is made.
Task<Outcome> bind(Migration& m);
/// Waits until the claims are bound; fails with what keeps them from it. `failed_phase` as in Outcome.
Task<Outcome> await_bound(Migration& m);
/// "PersistentVolumeClaim shop/data: Bound to pv-1", for each claim.
std::vector<std::string> lines_of(const Migration& m);

/// The volumes belong to the destination now: what becomes of them there is what was to become of them on the source.
Task<void> hand_over(Migration& m);

/// Before anything of the plan is deleted on the destination: no volume goes with its claim there. Fails if the source
/// could not take one back, since its data would be in nobody's hands.
Task<Outcome> retain_on_destination(Migration& m);
/// Names of the volumes that an earlier migration of the plan has handed over.
Task<std::vector<std::string>> handed_over_before(Migration& m);
/// Claims and twins go from the destination, and the source's volumes are as they were. To be called before anything
/// starts on the source again: done() only when nothing of the destination can write to them any more. Whatever the
/// plan says now, it goes by what has been moved.
Task<Outcome> take_back(Migration& m);

}  // namespace mtc::migrate::moved
