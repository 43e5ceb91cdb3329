#pragma once

#include <string>

#include "migrate/moved/volumes.hpp"

namespace mtc::migrate::moved {

/// The twin of a source's volume: the same storage, for the target claim and no other, to be retained.
Json twin_of(const Migration& m, const api::PlanVolume& volume, const Json& source);
/// The claim that the twin is for: of the twin's class, with size and access modes of the source's claim.
Json claim_for(const Migration& m, const api::PlanVolume& volume, const Json& source_volume, const Json& source_claim);

/// What is to become of a volume when its claim goes: as it is, or as it was before it was to be retained.
std::string policy_of(const Json& volume);
/// A merge patch that makes a volume retained, and keeps what it was; null if it is so already. It holds only for the
/// volume as read here.
Json retaining(const Json& volume);
/// The reverse of `retaining`, and of the label that says who moved it.
Json restoring(const Json& volume);

/// Whether a volume of the destination was made by this plan. A plan makes none but twins.
bool is_ours(const Migration& m, const Json& twin);
/// Whether a migration has given it to the destination for good; from there only a rollback leads back.
bool is_handed_over(const Json& twin);
/// Whether a claim of the destination was made by this plan for a twin.
bool is_for_twin(const Migration& m, const Json& claim);
/// The claim that a volume is for.
kube::ObjectKey claim_of(const Json& volume);

}  // namespace mtc::migrate::moved
