#pragma once

#include "migrate/advance.hpp"
#include "migrate/volumes/copying.hpp"

namespace mtc::migrate::volumes {

/// Runs the step of the current phase and moves on: phase, itinerary, description, errors and the conditions Running,
/// Failed, Succeeded are written into the status. One phase a call; the caller stores the status before it calls again,
/// so the phase is on record before its effects begin.
Task<Advance> advance(Copying* c);

/// The MigClusters that a DirectVolumeMigration refers to, as stored; nullopt if absent.
struct ClusterObjects {
  std::optional<Json> source, destination;
};
/// Whether it can begin (spec direct-volume.md §3): conditions say what is missing.
void validate(const api::DirectVolumeMigration& self, const ClusterObjects& clusters, api::Conditions& conditions);
/// Whether its claims are on the source; the historic name of the condition speaks of pods.
Task<void> validate_claims(api::DirectVolumeMigration self, kube::ClientPtr source, api::Conditions* conditions);

/// Whoever deletes a DirectVolumeMigration ends its transfers: removes its helpers on both clusters. True once none is
/// left; else `wake_on` says what to wait for. Claims of the destination stay.
Task<bool> remove_helpers(Copying* c, std::vector<Subject>* wake_on);

}  // namespace mtc::migrate::volumes
