#pragma once

#include "migrate/volumes/budget.hpp"
#include "plan/connections.hpp"

namespace mtc::control {

/// Divides what the host's settings grant movers among those at work on all its clusters, whenever a setting changes,
/// a mover comes or goes, or one needs less than it has: writes it into the annotations of their pods. Until cancelled.
/// A cluster that does not answer, or whose account may not list pods, is warned of in the log, and told later.
/// `newcomers` gets what a mover that is made next may use, and outlives the task, as `connections` does. Costs one
/// read of the host in three seconds while nothing is set.
Task<void> keep_mover_budgets(plan::Connections* connections, migrate::volumes::NewcomersBudget* newcomers);

}  // namespace mtc::control
