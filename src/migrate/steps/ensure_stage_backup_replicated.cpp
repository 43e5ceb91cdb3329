#include "migrate/indirect/staging.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_manifests.hpp"

namespace mtc::migrate {

/// The movers of the source are not needed any more, nor the keys that they had.
Task<Outcome> ensure_stage_backup_replicated(Migration& m) {
  co_await replicate_backup(m, "stage");
  if (indirect::may_have_movers(m))
    co_await indirect::remove_helpers(m, indirect::places_of(m, indirect::Side::kSource));
  co_return done();
}

}  // namespace mtc::migrate
