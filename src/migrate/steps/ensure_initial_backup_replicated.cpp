#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_manifests.hpp"

namespace mtc::migrate {

Task<Outcome> ensure_initial_backup_replicated(Migration& m) {
  co_await replicate_backup(m, "initial");
  co_return done();
}

}  // namespace mtc::migrate
