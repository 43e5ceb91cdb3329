#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> canceled(Migration& m) {
  m.conditions->remove("Canceling");
  m.conditions->set({.type = "Canceled",
                     .category = api::Category::kAdvisory,
                     .reason = "Cancel",
                     .message = "The migration has been canceled.",
                     .durable = true});
  co_return done();
}

}  // namespace mtc::migrate
