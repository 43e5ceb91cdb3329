#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {

/// The Backup objects on both clusters, and what they left in the bucket.
Task<Outcome> delete_backups(Migration& m) {
  co_await remove_velero_objects(m, m.source, kube::types::backups(), "backups");
  co_await remove_velero_objects(m, m.destination, kube::types::backups(), "backups");
  co_return done();
}

}  // namespace mtc::migrate
