#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "json/json.hpp"
#include "migrate/itinerary.hpp"

namespace mtc::migrate {

// status.pipeline of a MigMigration: the steps a user sees (spec migration.md §9, api.md §4.1.1). `pipeline` is the
// JSON array.

/// An itinerary begins: its steps are appended, those that are there stay. Final shows all of its steps, as
/// release 1.4.0 did; the others those whose rows apply.
void begin_itinerary(Json& pipeline, const Itinerary& itinerary, const Flags& flags);
/// Before a row runs: its step is started and shows it.
void enter_row(Json& pipeline, const Row& row, Time now);
/// After a row ran and `next` is to run: steps left behind are completed, or skipped if they never started.
void leave_for(Json& pipeline, const Row& next, Time now, bool finished);
/// The lines of the step of `row`.
void show_progress(Json& pipeline, const Row& row, const std::vector<std::string>& lines);
/// What the step of `row` is said to do now, if not empty.
void describe(Json& pipeline, const Row& row, const std::string& what);
/// The step of `row` failed.
void mark_failed(Json& pipeline, const Row& row);

}  // namespace mtc::migrate
