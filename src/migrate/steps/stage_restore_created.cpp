#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "api/names.hpp"
#include "migrate/indirect/directions.hpp"
#include "migrate/moved/volumes.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {
namespace {

/// Warnings beside the failure, for those who look for them (spec migration.md §12.5).
void tell(Migration& m, const char* type, std::size_t count, const char* what, const std::string& restore) {
  if (count == 0) return;
  m.conditions->set(
      {.type = type,
       .category = api::Category::kWarn,
       .message = fmt::format("{} volumes {}: see the PodVolumeRestores of Restore {}.", count, what, restore),
       .durable = true});
}

Task<VolumeWork> restore_volumes(Migration& m, Json restore) {
  auto work = co_await indirect::walk(m, indirect::out_of_repository(m, restore));
  if (work.failed == 0) co_return work;
  const auto key = kube::key_of(restore);
  Json annotations = {{api::annotations::kRestoreErrors, std::to_string(work.failed)}};
  if (work.differing > 0) annotations[api::annotations::kRestoreVerifyErrors] = std::to_string(work.differing);
  const Json patch = {{"metadata", {{"annotations", std::move(annotations)}}}};
  co_await m.destination->patch(kube::types::restores(), key, kube::PatchKind::kMerge, patch);
  tell(m, "ResticErrors", work.failed, "were not restored", key.str());
  tell(m, "ResticVerifyErrors", work.differing, "were read back and differ from their snapshots", key.str());
  co_return work;
}

}  // namespace

/// Waits for the volumes. One that is not whole on the destination fails the migration, before anything starts there.
Task<Outcome> stage_restore_created(Migration& m) {
  if (auto outcome = co_await moved::await_bound(m); outcome.kind != Outcome::Kind::kDone) co_return outcome;
  auto outcome = co_await follow(m, {.cluster = m.destination,
                                     .type = kube::types::restores(),
                                     .name = m.velero_name("stage"),
                                     .failed_phase = "StageRestoreFailed",
                                     .done_field = "itemsRestored",
                                     .line = restore_line,
                                     .volumes = restore_volumes});
  std::ranges::copy(moved::lines_of(m), std::back_inserter(m.progress));
  // Where only volumes are migrated no application comes after them.
  if (outcome.kind == Outcome::Kind::kDone && m.self.migrate_state) co_await moved::hand_over(m);
  co_return outcome;
}

}  // namespace mtc::migrate
