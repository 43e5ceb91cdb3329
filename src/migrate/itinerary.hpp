#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrate/migration.hpp"

namespace mtc::migrate {

using Flag = bool Flags::*;

/// What must hold for a row to run; an empty one always holds.
struct Condition {
  std::vector<Flag> all_of = {};
  std::vector<Flag> any_of = {};

  bool holds(const Flags& flags) const;
};

/// One row: what happens, where it shows, and when it runs.
struct Row {
  std::string_view phase;  ///< migrate/phases.hpp says what it does
  std::string_view step;   ///< pipeline step
  Condition when = {};
};

/// The phases of a kind of migration, in order (spec itineraries.md). Names, order and length are a public contract.
struct Itinerary {
  std::string_view name;
  std::vector<Row> rows;

  /// The row of a phase; nullptr if the itinerary has none.
  const Row* find(std::string_view phase) const;
  /// 1-based; 0 if the itinerary has no such phase.
  std::size_t position(std::string_view phase) const;
  /// The next row that applies; the last row, Completed, if none is left or the phase is unknown.
  const Row& next(std::string_view phase, const Flags& flags) const;
};

const Itinerary& final_itinerary();
const Itinerary& stage_itinerary();
const Itinerary& cancel_itinerary();
const Itinerary& failed_itinerary();
const Itinerary& rollback_itinerary();
/// The one that a migration follows now: failure before cancellation, before what its spec asks for (spec migration.md
/// §5.2).
const Itinerary& itinerary_of(const api::MigMigration& migration, const api::Conditions& conditions);

}  // namespace mtc::migrate
