#include <algorithm>

#include "migrate/indirect/staging.hpp"
#include "migrate/steps/stale_objects.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> clean_stale_restic_crs(Migration& m) {
  if (!indirect::may_have_movers(m)) co_return done();
  const auto running = co_await running_migrations(m);
  std::size_t removed = co_await remove_stale(m, m.source, kube::types::pod_volume_backups(), &running);
  removed += co_await remove_stale(m, m.destination, kube::types::pod_volume_restores(), &running);
  if (removed > 0) {
    m.conditions->set({.type = "StaleResticCRsDeleted",
                       .category = api::Category::kRequired,
                       .message = "PodVolumeBackups and PodVolumeRestores that earlier migrations left unfinished were "
                                  "deleted.",
                       .durable = true});
  }
  co_return done();
}

}  // namespace mtc::migrate
