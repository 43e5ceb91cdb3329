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

/// Conditions that keep a migration from starting or going on (spec migration.md §3, §4). `siblings` are all
/// MigMigrations of the plan.
void validate(const api::MigMigration& self, const std::optional<Json>& plan, const std::vector<Json>& siblings,
              api::Conditions& conditions);

}  // namespace mtc::migrate
