#include <utility>

#include "migrate/indirect/marks.hpp"
#include "migrate/indirect/repositories.hpp"
#include "migrate/moved/volumes.hpp"
#include "migrate/steps/steps.hpp"
#include "plan/repositories.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kFailedPhase = "StageBackupFailed";

}  // namespace

/// What can be known to go wrong is found here, while the applications still run.
Task<Outcome> annotate_resources(Migration& m) {
  if (auto why = co_await moved::hindrances(m, moved::Stopped::kNotYet); !why.empty())
    co_return fail(kFailedPhase, std::move(why));
  auto outcome = co_await volumes::check_claims(indirect::destination_of(m, kFailedPhase));
  if (outcome.kind != Outcome::Kind::kDone) co_return outcome;
  if (!indirect::staged_volumes(m).empty()) {
    const auto password = co_await plan::ensure_repository_key(m.connections, m.plan, m.plan.storage, m.rng);
    if (const auto why = co_await indirect::ensure_repositories(m, password); !why.empty())
      co_return fail(kFailedPhase, {why});
  }
  co_await moved::retain_on_source(m);
  m.progress = co_await indirect::mark(m);
  co_return done();
}

}  // namespace mtc::migrate
