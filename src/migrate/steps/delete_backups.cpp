#include "migrate/indirect/staging.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {

/// The Backup objects on both clusters, and what they left in the bucket; what works for them stops first. Snapshots of
/// volumes stay in the plan's repository, so that the next migration need not copy them again.
Task<Outcome> delete_backups(Migration& m) {
  if (indirect::may_have_movers(m)) {
    co_await indirect::remove_helpers(m, indirect::places_of(m));
    co_await indirect::remove_pod_volumes(m);
  }
  co_await remove_velero_objects(m, m.source, kube::types::backups(), "backups");
  co_await remove_velero_objects(m, m.destination, kube::types::backups(), "backups");
  co_return done();
}

}  // namespace mtc::migrate
