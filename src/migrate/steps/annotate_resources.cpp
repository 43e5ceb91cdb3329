#include "migrate/indirect/marks.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> annotate_resources(Migration& m) {
  m.progress = co_await indirect::mark(m);
  co_return done();
}

}  // namespace mtc::migrate
