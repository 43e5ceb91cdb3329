#pragma once

#include "migrate/itinerary.hpp"
#include "migrate/volumes/copying.hpp"

namespace mtc::migrate::volumes {

/// The phases of a DirectVolumeMigration, in order (spec direct-volume.md §4). Names, order and length are a public
/// contract.
const Itinerary& copy_itinerary();
const Itinerary& rollback_itinerary();
const Itinerary& failed_itinerary();
/// The one that it follows now.
const Itinerary& itinerary_of(const api::DirectVolumeMigration& self, const api::Conditions& conditions);

/// What a phase does, in whichever itinerary it stands.
struct Phase {
  std::string_view name;
  std::string_view description;  ///< what a user reads while it runs; empty where the original has none
  Task<Outcome> (*run)(Copying&) = nullptr;
};
/// Every phase that a row can name; Error(kInternal) for one that is none.
const Phase& phase_of(std::string_view name);

}  // namespace mtc::migrate::volumes
