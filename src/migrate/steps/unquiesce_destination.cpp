#include "migrate/moved/volumes.hpp"
#include "migrate/quiesce.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> unquiesce_destination(Migration& m) {
  co_await moved::hand_over(m);
  co_await unquiesce(m.destination, m.destination_namespaces());
  co_return done();
}

}  // namespace mtc::migrate
