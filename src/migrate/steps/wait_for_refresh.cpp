#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLimit = std::chrono::minutes(5);

/// What the plan found that this migration cannot stop, said here too: before anything is copied.
void take_over_warnings(Migration& m) {
  for (const auto& json : array_at(m.plan_object, "status.conditions")) {
    const auto type = string_at(json, "type");
    if (type != "WorkloadsCannotBeQuiesced" && type != "WorkloadsMayBeRestarted") continue;
    m.conditions->set({.type = type,
                       .category = api::Category::kWarn,
                       .reason = string_at(json, "reason"),
                       .message = string_at(json, "message"),
                       .durable = true});
  }
}

}  // namespace

Task<Outcome> wait_for_refresh(Migration& m) {
  if (!m.plan.refresh) {
    if (m.flags.quiesce) take_over_warnings(m);
    co_return done();
  }
  if (m.in_phase() > kLimit) {
    co_return fail("MigrationFailed",
                   {"MigPlan " + m.plan.self.str() + " was not refreshed within 5 minutes: see its conditions."});
  }
  co_return wait_for({}, std::chrono::seconds(10));  // the plan's own change wakes the migration
}

}  // namespace mtc::migrate
