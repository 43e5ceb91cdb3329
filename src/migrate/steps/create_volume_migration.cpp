#include "migrate/steps/steps.hpp"
#include "migrate/steps/volume_migration.hpp"
#include "plan/types.hpp"

namespace mtc::migrate {

Task<Outcome> create_volume_migration(Migration& m) {
  const auto found = co_await find_volume_migration(m);
  if (!found) co_await kube::ensure(*m.host, plan::types::direct_volume_migrations(), volume_migration_of(m));
  co_return done();
}

}  // namespace mtc::migrate
