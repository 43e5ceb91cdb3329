#include "migrate/steps/steps.hpp"
#include "plan/types.hpp"

namespace mtc::migrate {

/// Asks the plan to look at everything again: what it found may be days old.
Task<Outcome> start_refresh(Migration& m) {
  const Json patch = {{"spec", {{"refresh", true}}}};
  co_await m.host->patch(plan::types::mig_plans(), {m.plan.self.ns, m.plan.self.name}, kube::PatchKind::kMerge, patch);
  co_return done();
}

}  // namespace mtc::migrate
