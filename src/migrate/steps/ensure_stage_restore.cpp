#include "api/names.hpp"
#include "migrate/indirect/repositories.hpp"
#include "migrate/moved/volumes.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_manifests.hpp"
#include "plan/repositories.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kFailedPhase = "StageRestoreFailed";

}  // namespace

/// The claims are made here, and not by the Restore: class, access mode and name are the plan's, and one that somebody
/// else made is never written into.
Task<Outcome> ensure_stage_restore(Migration& m) {
  const auto copied = indirect::destination_of(m, kFailedPhase);
  auto all = copied;
  for (const auto& volume : moved::volumes_of(m))
    all.claims.push_back({.source = volume.claim, .target = volume.target});
  if (auto outcome = co_await volumes::ensure_namespaces(all); outcome.kind != Outcome::Kind::kDone) co_return outcome;
  if (auto outcome = co_await volumes::ensure_claims(copied); outcome.kind != Outcome::Kind::kDone) co_return outcome;
  if (auto outcome = co_await moved::bind(m); outcome.kind != Outcome::Kind::kDone) co_return outcome;
  if (!copied.claims.empty()) {
    const auto password = co_await plan::ensure_repository_key(m.connections, m.plan, m.plan.storage, m.rng);
    co_await indirect::ensure_mover_secrets(m, indirect::Side::kDestination, password);
  }
  co_await kube::ensure(*m.destination, kube::types::restores(),
                        velero_object(m, kube::types::restores(), "stage", api::labels::kStageRestore,
                                      velero_annotations(m), restore_spec(m, m.velero_name("stage"))));
  co_return done();
}

}  // namespace mtc::migrate
