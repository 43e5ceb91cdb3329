#include "migrate/volumes/advance.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "migrate/volumes/itinerary.hpp"

namespace mtc::migrate::volumes {
namespace {

using enum api::Category;
constexpr auto kCompleted = "Completed";
constexpr auto kTransfer = "RunRsyncOperations";

void add_errors(Json& status, const std::vector<std::string>& reasons) {
  auto& errors = status["errors"];
  if (!errors.is_array()) errors = Json::array();
  for (const auto& reason : reasons) {
    if (std::find(errors.begin(), errors.end(), reason) == errors.end()) errors.push_back(reason);
  }
}

/// Starts the itinerary that holds now, if it is another one than before.
void choose(Json& status, const Itinerary& itinerary) {
  if (string_at(status, "itinerary") == itinerary.name) return;
  status["itinerary"] = itinerary.name;
  status["phase"] = itinerary.rows.front().phase;
}

void show_running(Copying& c, const Itinerary& itinerary, const Row& row) {
  c.conditions->set({.type = "Running",
                     .category = kAdvisory,
                     .reason = std::string(row.phase),
                     .message = fmt::format("Step: {}/{}", itinerary.position(row.phase), itinerary.rows.size())});
}

/// What ends a transfer is Critical, as the original has it; what keeps one from beginning is a warning there. Both
/// fail the migration that asked for it.
void fail_with(Copying& c, const Row& row, const Outcome& outcome) {
  add_errors(*c.status, outcome.reasons);
  c.conditions->remove("Running");
  c.conditions->set({.type = "Failed",
                     .category = row.phase == kTransfer ? kCritical : kWarn,
                     .reason = std::string(row.phase),
                     .message = "The migration has failed.  See: Errors.",
                     .durable = true});
}

void finish(Copying& c) {
  c.conditions->remove("Running");
  if (c.conditions->has("Failed")) return;
  c.conditions->set({.type = "Succeeded",
                     .category = kAdvisory,
                     .reason = kCompleted,
                     .message = "The migration has succeeded.",
                     .durable = true});
}

Task<Outcome> run_step(Copying* c, const Row* row) {
  std::optional<Error> failure;
  try {
    co_return co_await phase_of(row->phase).run(*c);
  } catch (const Error& error) {
    failure = error;
  }
  co_return judged(*failure);
}

}  // namespace

Task<Advance> advance(Copying* c) {
  auto& status = *c->status;
  if (!status.contains("startTimestamp")) status["startTimestamp"] = rfc3339(c->clock->now());
  const auto& itinerary = itinerary_of(c->self, *c->conditions);
  choose(status, itinerary);
  const auto* row = itinerary.find(string_at(status, "phase"));
  if (row == nullptr) row = &itinerary.rows.back();
  show_running(*c, itinerary, *row);  // also if the step throws: the time in its phase counts from here

  const auto outcome = co_await run_step(c, row);
  if (outcome.kind == Outcome::Kind::kWait) co_return Advance{false, outcome.wake_on, outcome.again_after};
  // What cannot be tidied up after a failure is told, and keeps it from nothing.
  const bool failing = itinerary.name == failed_itinerary().name;
  if (outcome.kind == Outcome::Kind::kFail && failing) add_errors(status, outcome.reasons);
  if (outcome.kind == Outcome::Kind::kFail && !failing) {
    fail_with(*c, *row, outcome);
    co_return Advance{false, {}, Duration::zero()};
  }
  const auto& next = itinerary.next(row->phase, {});
  const bool finished = next.phase == kCompleted;
  status["phase"] = next.phase;
  status["phaseDescription"] = phase_of(next.phase).description;
  if (finished) {
    finish(*c);
  } else {
    show_running(*c, itinerary, next);
  }
  co_return Advance{finished, {}, finished ? std::nullopt : std::optional(Duration::zero())};
}

}  // namespace mtc::migrate::volumes
