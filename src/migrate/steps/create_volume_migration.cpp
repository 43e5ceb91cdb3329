#include <fmt/format.h>

#include "base/strings.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/volume_migration.hpp"
#include "plan/types.hpp"

namespace mtc::migrate {
namespace {

/// Pods that run on claims which the copy would write to. Only where state is migrated: of a cutover the application
/// comes after its volumes.
Task<std::vector<std::string>> users_of_targets(Migration& m) {
  if (!m.self.migrate_state) co_return std::vector<std::string>{};
  auto pods = co_await pods_left(
      m.destination, {.namespaces = m.destination_namespaces(), .selector = "", .claims = m.target_claims()});
  for (auto& pod : pods.remaining) pods.stopping.push_back(std::move(pod));
  co_return std::move(pods.stopping);
}

}  // namespace

Task<Outcome> create_volume_migration(Migration& m) {
  if (co_await find_volume_migration(m)) co_return done();
  const auto users = co_await users_of_targets(m);
  if (!users.empty()) {
    co_return fail("MigrationFailed",
                   {fmt::format("Pods [{}] of the destination use claims that would be copied to, and what they have "
                                "written there would be lost: stop them first, or delete the plan if it has done its "
                                "work.",
                                join(users, ","))});
  }
  co_await kube::ensure(*m.host, plan::types::direct_volume_migrations(), volume_migration_of(m));
  co_return done();
}

}  // namespace mtc::migrate
