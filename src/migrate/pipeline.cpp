#include "migrate/pipeline.hpp"

#include <algorithm>

#include "migrate/phases.hpp"

namespace mtc::migrate {
namespace {

Json* find_step(Json& pipeline, std::string_view name) {
  for (auto& step : pipeline) {
    if (string_at(step, "name") == name) return &step;
  }
  return nullptr;
}

/// A step that is needed but was not announced, because its flag became true only later, appears at the end.
Json& step_of(Json& pipeline, const Row& row) {
  if (auto* found = find_step(pipeline, row.step)) return *found;
  pipeline.push_back({{"name", row.step}, {"message", "Not started"}});
  return pipeline.back();
}

void complete(Json& step, Time now) {
  if (!step.contains("started")) step["started"] = rfc3339(now);
  if (!step.contains("completed")) step["completed"] = rfc3339(now);
}

/// What a finished step shows (spec migration.md §9, "reflection").
void reflect(Json& step) {
  if (step.contains("completed")) {
    step.erase("phase");
    step["message"] = "Completed";
  }
  if (bool_at(step, "failed")) step["message"] = "Failed";
  if (bool_at(step, "skipped")) step["message"] = "Skipped";
}

}  // namespace

void begin_itinerary(Json& pipeline, const Itinerary& itinerary, const Flags& flags) {
  if (!pipeline.is_array()) pipeline = Json::array();
  const bool show_all = itinerary.name == "Final";
  for (const auto& row : itinerary.rows) {
    if ((show_all || row.when.holds(flags)) && find_step(pipeline, row.step) == nullptr) {
      pipeline.push_back({{"name", row.step}, {"message", "Not started"}});
    }
  }
}

void enter_row(Json& pipeline, const Row& row, Time now) {
  auto& step = step_of(pipeline, row);
  if (!step.contains("started")) step["started"] = rfc3339(now);
  step.erase("completed");  // a step that is entered again is not done
  step["phase"] = row.phase;
  step["message"] = phase_of(row.phase).description;
  if (row.phase.empty()) step.erase("phase");
}

void leave_for(Json& pipeline, const Row& next, Time now, bool finished) {
  enter_row(pipeline, next, now);
  auto* current = find_step(pipeline, next.step);
  bool before = true;
  for (auto& step : pipeline) {
    if (&step == current) {
      before = false;
      if (finished) complete(step, now);
    } else if (step.contains("started")) {
      complete(step, now);
    } else if (before) {
      step["skipped"] = true;
    }
  }
  for (auto& step : pipeline) reflect(step);
}

void show_progress(Json& pipeline, const Row& row, const std::vector<std::string>& lines) {
  if (!lines.empty()) step_of(pipeline, row)["progress"] = lines;
}

void describe(Json& pipeline, const Row& row, const std::string& what) {
  if (!what.empty()) step_of(pipeline, row)["message"] = what;
}

void mark_failed(Json& pipeline, const Row& row) { step_of(pipeline, row)["failed"] = true; }

}  // namespace mtc::migrate
