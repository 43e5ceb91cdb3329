#pragma once

#include <vector>

#include "migrate/migration.hpp"
#include "migrate/volumes/target_claim.hpp"

namespace mtc::migrate::volumes {

/// What must be on the destination before content comes.
struct Destination {
  kube::ClientPtr source, destination;
  std::vector<api::ClaimCopy> claims;
  Maker maker;
  Duration waited{};         ///< how long the step that asks has been at it
  std::string failed_phase;  ///< of the Outcome
};
/// The namespaces of the claims, with the annotations and labels of the source's.
Task<Outcome> ensure_namespaces(Destination d);
/// Whether the claims of the source can be read and those of the destination written into, as far as they are there:
/// one that somebody else made never is.
Task<Outcome> check_claims(Destination d);
/// Makes the claims of the destination, and those larger that an earlier migration made and that are too small by now,
/// if their class lets them grow. Every one is looked at before the first is made.
Task<Outcome> ensure_claims(Destination d);

}  // namespace mtc::migrate::volumes
