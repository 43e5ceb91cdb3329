#include "migrate/steps/stale_objects.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> clean_stale_velero_crs(Migration& m) {
  const auto running = co_await running_migrations(m);
  for (const auto& cluster : {m.source, m.destination}) {
    co_await remove_stale(m, cluster, kube::types::backups(), &running);
    co_await remove_stale(m, cluster, kube::types::restores(), &running);
  }
  co_return done();
}

}  // namespace mtc::migrate
