#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {

Task<Outcome> delete_restores(Migration& m) {
  co_await remove_velero_objects(m, m.destination, kube::types::restores(), "restores");
  co_return done();
}

}  // namespace mtc::migrate
