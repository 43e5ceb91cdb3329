#include "migrate/indirect/marks.hpp"
#include "migrate/indirect/repositories.hpp"
#include "migrate/steps/steps.hpp"
#include "plan/repositories.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kFailedPhase = "StageBackupFailed";

}  // namespace

/// What can be known to go wrong is found here, while the applications still run.
Task<Outcome> annotate_resources(Migration& m) {
  auto outcome = co_await volumes::check_claims(indirect::destination_of(m, kFailedPhase));
  if (outcome.kind != Outcome::Kind::kDone) co_return outcome;
  const auto password = co_await plan::ensure_repository_key(m.connections, m.plan, m.plan.storage, m.rng);
  if (const auto why = co_await indirect::ensure_repositories(m, password); !why.empty())
    co_return fail(kFailedPhase, {why});
  m.progress = co_await indirect::mark(m);
  co_return done();
}

}  // namespace mtc::migrate
