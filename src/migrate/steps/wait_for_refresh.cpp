#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLimit = std::chrono::minutes(5);

}  // namespace

Task<Outcome> wait_for_refresh(Migration& m) {
  if (!m.plan.refresh) co_return done();
  if (m.in_phase() > kLimit) {
    co_return fail("MigrationFailed",
                   {"MigPlan " + m.plan.self.str() + " was not refreshed within 5 minutes: see its conditions."});
  }
  co_return wait_for({}, std::chrono::seconds(10));  // the plan's own change wakes the migration
}

}  // namespace mtc::migrate
