#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> pass(Migration&) { co_return done(); }

}  // namespace mtc::migrate
