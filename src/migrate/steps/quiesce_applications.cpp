#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> quiesce_applications(Migration& m) {
  co_await quiesce(m.source, what_stops(m));
  co_return done();
}

}  // namespace mtc::migrate
