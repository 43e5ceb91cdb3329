#pragma once

#include <string_view>

#include "migrate/migration.hpp"

namespace mtc::migrate {

using StepFunction = Task<Outcome> (*)(Migration&);

/// What a phase does, in whichever itinerary it stands.
struct Phase {
  std::string_view name;
  std::string_view description;  ///< what a user reads while it runs; empty where the original has none
  StepFunction run = nullptr;
};

/// Every phase that a row can name; Error(kInternal) for one that is none.
const Phase& phase_of(std::string_view name);

}  // namespace mtc::migrate
