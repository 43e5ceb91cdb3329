#pragma once

#include "migrate/volumes/copying.hpp"

namespace mtc::migrate::volumes {

// One function a phase, each idempotent: a controller that is killed inside one runs it again.

/// Phases that only mark a point, and those of virtual machines and tunnels, which a mover needs none of.
Task<Outcome> pass(Copying& c);
Task<Outcome> clean_stale_resources(Copying& c);
Task<Outcome> wait_for_stale_resources(Copying& c);
Task<Outcome> create_destination_namespaces(Copying& c);
Task<Outcome> create_destination_claims(Copying& c);
Task<Outcome> create_services(Copying& c);
Task<Outcome> ensure_services_usable(Copying& c);
Task<Outcome> create_identities(Copying& c);
Task<Outcome> create_progresses(Copying& c);
Task<Outcome> create_receivers(Copying& c);
Task<Outcome> wait_for_receivers(Copying& c);
Task<Outcome> run_operations(Copying& c);
Task<Outcome> delete_resources(Copying& c);
Task<Outcome> wait_for_resources_deleted(Copying& c);
/// The helpers of a migration that failed go, too.
Task<Outcome> clean_up_failed(Copying& c);

}  // namespace mtc::migrate::volumes
