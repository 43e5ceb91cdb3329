#include "migrate/quiesce.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> unquiesce_source(Migration& m) {
  co_await unquiesce(m.source, m.source_namespaces());
  co_return done();
}

}  // namespace mtc::migrate
