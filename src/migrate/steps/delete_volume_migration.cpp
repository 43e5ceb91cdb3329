#include <fmt/format.h>

#include "migrate/steps/steps.hpp"
#include "migrate/steps/volume_migration.hpp"
#include "plan/types.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLimit = std::chrono::minutes(10);

}  // namespace

/// A finalizer holds it until its pods are gone from both clusters: nothing reads or writes a volume after this row.
Task<Outcome> delete_volume_migration(Migration& m) {
  const auto found = co_await find_volume_migration(m);
  if (!found) co_return done();
  // Its changes wake this step, and deleting it once more may be one: then neither would come to an end.
  if (!kube::is_being_deleted(*found))
    co_await m.host->remove(plan::types::direct_volume_migrations(), kube::key_of(*found));
  if (!co_await find_volume_migration(m)) co_return done();
  if (m.in_phase() > kLimit) {
    m.conditions->set(
        {.type = "DirectVolumeMigrationBlocked",
         .category = api::Category::kWarn,
         .reason = "NotReady",
         .message = fmt::format("DirectVolumeMigration {} is not gone after 10 minutes; its Pods may still "
                                "use the volumes.",
                                kube::key_of(*found).str()),
         .durable = true});
    co_return done();
  }
  co_return wait_for({volume_migration_subject(m)}, std::chrono::seconds(10));
}

/// Copies that are still at work when their migration has failed for another reason stop; what has ended stays, for its
/// errors to be read.
Task<Outcome> stop_volumes(Migration& m) {
  const auto found = co_await find_volume_migration(m);
  if (found && string_at(*found, "status.phase") != "Completed")
    co_await m.host->remove(plan::types::direct_volume_migrations(), kube::key_of(*found));
  co_return done();
}

}  // namespace mtc::migrate
