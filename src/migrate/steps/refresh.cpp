#include "api/names.hpp"
#include "base/error.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

const kube::ResourceType kMigPlans{api::kGroup, api::kVersion, "migplans", "MigPlan"};
constexpr auto kRefreshLimit = std::chrono::minutes(5);

}  // namespace

Task<Outcome> pass(Migration&) { co_return done(); }

Task<Outcome> not_built(Migration& m) {
  throw Error(Code::kInternal,
              "migration " + m.self.self.str() + " reached a phase that this release does not have: please report it");
  co_return done();
}

/// Asks the plan to look at everything again: what it found may be days old.
Task<Outcome> start_refresh(Migration& m) {
  const Json patch = {{"spec", {{"refresh", true}}}};
  co_await m.host->patch(kMigPlans, {m.plan.self.ns, m.plan.self.name}, kube::PatchKind::kMerge, patch);
  co_return done();
}

Task<Outcome> wait_for_refresh(Migration& m) {
  if (!m.plan.refresh) co_return done();
  if (m.in_phase() > kRefreshLimit) {
    co_return fail("MigrationFailed",
                   {"MigPlan " + m.plan.self.str() + " was not refreshed within 5 minutes: see its conditions."});
  }
  co_return wait_for({}, std::chrono::seconds(10));  // the plan's own change wakes the migration
}

}  // namespace mtc::migrate
