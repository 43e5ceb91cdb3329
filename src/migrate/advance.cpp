#include "migrate/advance.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/volumes.hpp"
#include "base/error.hpp"
#include "migrate/measurement.hpp"
#include "migrate/phases.hpp"
#include "migrate/pipeline.hpp"
#include "migrate/report/report.hpp"

namespace mtc::migrate {
namespace {

using enum api::Category;
constexpr auto kCompleted = "Completed";

void add_errors(Json& status, const std::vector<std::string>& reasons) {
  auto& errors = status["errors"];
  if (!errors.is_array()) errors = Json::array();
  for (const auto& reason : reasons) {
    if (std::find(errors.begin(), errors.end(), reason) == errors.end()) errors.push_back(reason);
  }
}

/// Starts the itinerary that holds now, if it is another one than before.
void choose(Migration& m, Json& status, const Itinerary& itinerary) {
  if (string_at(status, "itinerary") == itinerary.name) return;
  status["itinerary"] = itinerary.name;
  status["phase"] = itinerary.rows.front().phase;
  begin_itinerary(status["pipeline"], itinerary, m.flags);
}

void finish(Migration& m) {
  m.conditions->remove("Running");
  // A canceled migration has not succeeded, whatever else it did.
  if (m.conditions->has("Failed") || m.conditions->has("Canceled")) return;
  const bool warned = m.conditions->has_category(kWarn);
  m.conditions->set({.type = warned ? "SucceededWithWarnings" : "Succeeded",
                     .category = kAdvisory,
                     .reason = kCompleted,
                     .message = warned ? "The migration has completed with warnings, please look at `Warn` conditions."
                                       : "The migration has completed successfully.",
                     .durable = true});
}

void show_running(Migration& m, const Itinerary& itinerary, const Row& row) {
  m.conditions->set({.type = "Running",
                     .category = kAdvisory,
                     .reason = std::string(row.phase),
                     .message = fmt::format("Step: {}/{}", itinerary.position(row.phase), itinerary.rows.size())});
}

/// Whether the source was scaled down by the time the migration came to this row.
bool source_is_down(const Migration& m, const Itinerary& itinerary, const Row& row) {
  if (!m.flags.quiesce) return false;
  return std::ranges::any_of(itinerary.rows, [&](const Row& before) {
    const bool quiesces = before.phase == "QuiesceApplications" || before.phase == "QuiesceSourceApplications";
    return quiesces && itinerary.position(before.phase) <= itinerary.position(row.phase);
  });
}

void fail_with(Migration& m, Json& status, const Itinerary& itinerary, const Row& row, const Outcome& outcome) {
  add_errors(status, outcome.reasons);
  if (source_is_down(m, itinerary, row)) {
    add_errors(status, {fmt::format("The applications of the source are scaled down. To start them again, roll MigPlan "
                                    "{} back: mtc migrate {} --rollback",
                                    m.plan.self.str(), m.plan.self.name)});
  }
  mark_failed(status["pipeline"], row);
  m.conditions->set({.type = "Failed",
                     .category = kAdvisory,
                     .reason = std::string(row.phase),
                     .message = "The migration has failed.  See: Errors.",
                     .durable = true});
}

bool stages_nothing(const Migration& m) {
  if (!(m.self.stage || m.self.migrate_state) || m.flags.has_image_streams) return false;
  if (!m.flags.has_pvs) return true;
  const auto is_copied = [](const api::PlanVolume& volume) { return volume.action == api::VolumeAction::kCopy; };
  return m.self.stage && std::ranges::none_of(api::volumes_of(m.plan), is_copied);
}

/// A stage copies volumes and images ahead of the cutover; objects wait for the cutover itself.
void note_empty_stage(Migration& m) {
  m.conditions->set({.type = "StageNoOp",
                     .category = kWarn,
                     .message = m.flags.has_pvs ? "All volumes of the migration plan are moved, which the cutover "
                                                  "does, so the stage copied nothing."
                                                : "Stage migration was run without any PVs or ImageStreams in the "
                                                  "migration plan, so it copied nothing.",
                     .durable = true});
}

/// What it measured, and its report. A report that cannot be stored takes nothing from what the migration did.
Task<void> sum_up(Migration* m, Json* status) {
  std::string cause;
  try {
    const auto volumes = co_await report::volume_results(*m);
    if (!m->conditions->has("Failed") && !m->conditions->has("Canceled"))
      conclude(*status, volumes, object_at(m->plan_object, "status.forecast"), m->clock->now());
    co_await report::store(*m, *status, volumes);
  } catch (const Error& error) {
    if (error.transient()) throw;
    cause = error.what();
  }
  if (cause.empty()) co_return;
  m->conditions->set({.type = "ReportNotStored",
                      .category = kAdvisory,
                      .reason = "NotStored",
                      .message = fmt::format("The report of this migration could not be stored: {}.", cause),
                      .durable = true});
}

Task<Outcome> run_step(Migration* m, const Row* row) {
  std::optional<Error> failure;
  try {
    co_return co_await phase_of(row->phase).run(*m);
  } catch (...) {  // A cancellation goes on up.
    failure = async::as_error(std::current_exception());
  }
  co_return judged(*failure);
}

}  // namespace

Task<Advance> advance(Migration* m, Json* status) {
  const auto now = m->clock->now();
  if (stages_nothing(*m)) note_empty_stage(*m);
  if (!status->contains("startTimestamp")) (*status)["startTimestamp"] = rfc3339(now);
  const auto& itinerary = itinerary_of(m->self, *m->conditions);
  choose(*m, *status, itinerary);
  auto& pipeline = (*status)["pipeline"];
  const auto phase = string_at(*status, "phase");
  const auto* row = itinerary.find(phase);
  if (row == nullptr) row = &itinerary.rows.back();
  enter_row(pipeline, *row, now);

  const auto outcome = co_await run_step(m, row);
  show_progress(pipeline, *row, m->progress);
  if (outcome.kind == Outcome::Kind::kWait) {
    show_running(*m, itinerary, *row);
    leave_for(pipeline, *row, now, false);
    describe(pipeline, *row, m->description);
    co_return Advance{false, outcome.wake_on, outcome.again_after};
  }
  if (outcome.kind == Outcome::Kind::kFail) {
    fail_with(*m, *status, itinerary, *row, outcome);
    m->conditions->remove("Running");
    leave_for(pipeline, *row, now, false);
    co_return Advance{false, {}, Duration::zero()};
  }
  const auto& next = itinerary.next(row->phase, m->flags);
  const bool finished = next.phase == kCompleted;
  (*status)["phase"] = next.phase;
  if (m->flags.has_pvs) note_passage(*status, row->phase, next.phase, now);  // the forecast is of volumes
  leave_for(pipeline, next, now, finished);
  if (finished) {
    finish(*m);
    co_await sum_up(m, status);
  } else {
    show_running(*m, itinerary, next);
  }
  co_return Advance{finished, {}, finished ? std::nullopt : std::optional(Duration::zero())};
}

}  // namespace mtc::migrate
