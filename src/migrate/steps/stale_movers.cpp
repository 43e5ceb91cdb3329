#include <fmt/format.h>

#include "migrate/indirect/staging.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kPatience = std::chrono::minutes(10);

}  // namespace

/// Movers stand where the original has stage pods. A plan's migrations run one at a time, so all that are there are
/// left over; they go before the objects' backup, which would take their Secrets along.
Task<Outcome> clean_stale_movers(Migration& m) {
  if (!indirect::may_have_movers(m)) co_return done();
  co_await indirect::remove_helpers(m, indirect::places_of(m), indirect::helpers_of_plan(m));
  co_return done();
}

Task<Outcome> wait_for_stale_movers(Migration& m) {
  if (!indirect::may_have_movers(m)) co_return done();
  const auto left = co_await indirect::helpers_at(m, indirect::places_of(m), indirect::helpers_of_plan(m));
  if (left.empty()) co_return done();
  if (m.in_phase() > kPatience) {
    co_return fail("MigrationFailed", {fmt::format("Helpers of an earlier migration of the volumes are not gone after "
                                                   "10 minutes: {}. Delete them and try again.",
                                                   volumes::names_of(left))});
  }
  co_return wait_for(volumes::subjects_of(left, indirect::helpers_of_plan(m)), std::chrono::seconds(30));
}

}  // namespace mtc::migrate
