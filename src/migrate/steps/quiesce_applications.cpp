#include "migrate/quiesce.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> quiesce_applications(Migration& m) {
  co_await quiesce(m.source, m.source_namespaces());
  co_return done();
}

}  // namespace mtc::migrate
