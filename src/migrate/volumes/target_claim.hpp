#pragma once

#include <string>

#include "migrate/volumes/copying.hpp"

namespace mtc::migrate::volumes {

/// The claim of the destination (spec direct-volume.md §6): class and access modes as asked for, size and volume mode
/// of the source, without what binds it to the source's volume. A selector would keep it from being provisioned, so it
/// does not travel.
Json target_claim(const Copying& c, const api::ClaimCopy& claim, const Json& source);

/// Why the claim that is on the destination cannot take the files of this one; "" if it can: it is of this plan, or of
/// this DirectVolumeMigration, and holds a file system. `target` is what target_claim() says.
std::string refusal_of(const Copying& c, const Json& existing, const Json& target);

}  // namespace mtc::migrate::volumes
