#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> canceling(Migration& m) {
  m.conditions->set({.type = "Canceling",
                     .category = api::Category::kAdvisory,
                     .reason = "Cancel",
                     .message = "The migration is being canceled.",
                     .durable = true});
  co_return done();
}

}  // namespace mtc::migrate
