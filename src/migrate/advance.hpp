#pragma once

#include "json/json.hpp"
#include "migrate/itinerary.hpp"
#include "migrate/migration.hpp"

namespace mtc::migrate {

/// What a pass over a migration asks for next.
struct Advance {
  bool finished = false;
  std::vector<Subject> wake_on;
  std::optional<Duration> again_after;
};

/// Runs the step of the current phase and moves on: phase, itinerary, pipeline, errors and the conditions Running,
/// Failed, Succeeded are written into `status`. One phase a call; the caller stores the status before it calls again,
/// so the phase is on record before its effects begin.
Task<Advance> advance(Migration* m, Json* status);

/// What a migration is held against before it starts or goes on.
struct Surroundings {
  std::optional<Json> plan;    ///< the MigPlan; nullopt if absent
  std::vector<Json> siblings;  ///< all MigMigrations of the plan
  bool one_cluster = false;    ///< source and destination are the same
};
/// Conditions that keep a migration from starting or going on (spec migration.md §3, §4).
void validate(const api::MigMigration& self, const Surroundings& around, api::Conditions& conditions);

}  // namespace mtc::migrate
