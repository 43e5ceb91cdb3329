#pragma once

#include <vector>

#include "migrate/migration.hpp"
#include "migrate/volumes/target_claim.hpp"

namespace mtc::migrate::volumes {

/// What must be on the destination before files come.
struct Destination {
  kube::ClientPtr source, destination;
  std::vector<api::ClaimCopy> claims;
  Maker maker;
  Duration waited{};         ///< how long the step that asks has been at it
  std::string failed_phase;  ///< of the Outcome
};
/// The namespaces of the claims, with the annotations and labels of the source's.
Task<Outcome> ensure_namespaces(Destination d);
/// The claims. Every one is looked at before the first is made; one that somebody else made is never written into.
Task<Outcome> ensure_claims(Destination d);

/// Why the files of this claim of the source cannot be read; "" if they can.
std::string unfit(const api::Ref& claim, const Json& source);

}  // namespace mtc::migrate::volumes
