#include "migrate/indirect/marks.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> clean_stale_annotations(Migration& m) {
  if (m.self.keep_annotations || !indirect::may_have_movers(m)) co_return done();
  co_await indirect::unmark(m.source, m.source_namespaces());
  co_await indirect::unmark(m.destination, m.destination_namespaces());
  co_return done();
}

}  // namespace mtc::migrate
