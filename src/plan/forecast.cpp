#include "plan/forecast.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "api/condition.hpp"
#include "base/strings.hpp"
#include "kube/resource.hpp"

namespace mtc::plan {
namespace {

constexpr double kHour = 3600;
constexpr std::size_t kNewest = 10;  ///< stages that count: older ones tell of another network, or of other volumes

Json rounded(double value) { return std::llround(value); }

std::string text_of(double seconds) {
  return go_seconds(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

std::optional<Duration> seconds_at(const Json& object, std::string_view name) {
  const auto seconds = int_at(object, name);
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

bool has_succeeded(const Json& migration) {
  return api::has_condition(migration, "Succeeded") || api::has_condition(migration, "SucceededWithWarnings");
}

/// The sum over all copies of a product.
template <typename Of>
double sum(const std::vector<Copy>& copies, Of of) {
  return std::transform_reduce(copies.begin(), copies.end(), 0.0, std::plus<>(), of);
}

double moved_of(const Copy& copy) { return static_cast<double>(copy.moved); }

/// What the plan's migrations measured, oldest first.
struct History {
  std::vector<Copy> stages;
  std::size_t since_rollback = 0;  ///< the stages, the newest, that came after the last rollback, which empties the
                                   ///< destination
  std::optional<Copy> cutover;     ///< the newest
};

History history_of(const std::vector<Json>& migrations) {
  History out;
  std::string rolled_back;
  for (const auto& migration : migrations) {
    if (bool_at(migration, "spec.rollback") && has_succeeded(migration))
      rolled_back = std::max(rolled_back, string_at(migration, "metadata.creationTimestamp"));
    const auto copy = copy_of(migration);
    if (!copy) continue;
    if (copy->is_stage) {
      out.stages.push_back(*copy);
    } else if (copy->downtime && (!out.cutover || out.cutover->started < copy->started)) {
      out.cutover = copy;
    }
  }
  std::ranges::sort(out.stages, {}, &Copy::started);
  const auto emptied = parse_rfc3339(rolled_back);
  out.since_rollback = static_cast<std::size_t>(
      std::ranges::count_if(out.stages, [&](const Copy& stage) { return !emptied || stage.started >= *emptied; }));
  if (out.stages.size() > kNewest) out.stages.erase(out.stages.begin(), out.stages.end() - kNewest);
  out.since_rollback = std::min(out.since_rollback, kNewest);
  return out;
}

Json last_copy(const Copy& copy) {
  Json out = {{"migration", copy.migration},
              {"started", rfc3339(copy.started)},
              {"seconds", rounded(copy.seconds())},
              {"bytes", copy.bytes},
              {"movedBytes", copy.moved}};
  if (copy.seconds() > 0) out["bytesPerSecond"] = rounded(moved_of(copy) / copy.seconds());
  return out;
}

/// What a cutover takes beyond its copy, as the newest one did: 0 if there was none.
double beyond(const History& history, const Line& line) {
  if (!history.cutover) return 0;
  const auto took = std::chrono::duration<double>(*history.cutover->downtime).count();
  return std::max(took - line.seconds(moved_of(*history.cutover)), 0.0);
}

std::string unmeasured(const History& history) {
  if (history.cutover) return "";
  const bool verified = history.stages.back().verified;
  return fmt::format(
      " Not in it, because no cutover of this plan has measured it: stopping the applications{} and "
      "restoring their objects.",
      verified ? "" : ", reading the volumes back");
}

void tell_cutover(const History& history, Json& out) {
  if (!history.cutover) return;
  const auto& cutover = *history.cutover;
  Json last = {{"migration", cutover.migration},
               {"downtimeSeconds", rounded(std::chrono::duration<double>(*cutover.downtime).count())}};
  if (cutover.forecast) last["forecastSeconds"] = rounded(std::chrono::duration<double>(*cutover.forecast).count());
  out["lastCutover"] = std::move(last);
}

/// From what the newest stage alone moved: how much changes between two is not known.
void tell_one(const History& history, const Line& line, Json& out) {
  const auto& only = history.stages.back();
  const auto down = line.seconds(moved_of(only)) + beyond(history, line);
  out["downtimeSeconds"] = rounded(down);
  out["message"] = fmt::format(
      "From one stage, which moved {} in {}: a cutover that moves as much again keeps the "
      "applications down for about {}. Another stage measures how much changes between two.{}",
      bytes_text(only.moved), text_of(only.seconds()), text_of(down), unmeasured(history));
}

void tell_rate(const History& history, const Line& line, Json& out) {
  const auto& last = history.stages.back();
  const auto& previous = history.stages[history.stages.size() - 2];
  const auto between = std::chrono::duration<double>(last.started - previous.started).count();
  if (between <= 0) return tell_one(history, line, out);
  const auto rate = moved_of(last) / between;
  const auto down = line.seconds(rate * last.seconds()) + beyond(history, line);
  const auto more = line.per_byte * rate * kHour;
  out["changedBytesPerHour"] = rounded(rate * kHour);
  out["downtimeSeconds"] = rounded(down);
  out["downtimeSecondsPerHour"] = rounded(more);
  out["message"] = fmt::format(
      "From {} stages: a cutover right after the last of them keeps the applications down for "
      "about {}, and for {} more with each hour since then, in which {} change.{}",
      history.stages.size(), text_of(down), text_of(more), bytes_text(std::llround(rate * kHour)), unmeasured(history));
}

}  // namespace

std::optional<Copy> copy_of(const Json& migration) {
  if (!has_succeeded(migration)) return std::nullopt;
  const auto& measured = object_at(migration, "status.measured");
  const auto time = [&](std::string_view name) { return parse_rfc3339(string_at(measured, name)); };
  const auto started = time("copyStarted");
  const auto ended = time("copyEnded");
  const auto bytes = int_at(measured, "bytes");
  const auto moved = int_at(measured, "movedBytes");
  if (!started || !ended || !bytes || !moved || *ended < *started) return std::nullopt;
  return Copy{.migration = kube::key_of(migration).name,
              .started = *started,
              .ended = *ended,
              .bytes = *bytes,
              .moved = *moved,
              .verified = bool_at(measured, "verified"),
              .is_stage = bool_at(migration, "spec.stage") && !measured.contains("downtimeSeconds"),
              .downtime = seconds_at(measured, "downtimeSeconds"),
              .forecast = seconds_at(measured, "forecastSeconds")};
}

Line fit(const std::vector<Copy>& copies) {
  if (copies.empty()) return {};
  const auto count = static_cast<double>(copies.size());
  const auto mean_moved = sum(copies, moved_of) / count;
  const auto mean_seconds = sum(copies, [](const Copy& c) { return c.seconds(); }) / count;
  const auto spread = sum(copies, [&](const Copy& c) { return std::pow(moved_of(c) - mean_moved, 2); });
  if (spread <= 0) return {mean_seconds, 0};
  const auto slope =
      sum(copies, [&](const Copy& c) { return (moved_of(c) - mean_moved) * (c.seconds() - mean_seconds); }) / spread;
  if (slope <= 0) return {mean_seconds, 0};
  const auto fixed = mean_seconds - (slope * mean_moved);
  if (fixed >= 0) return {fixed, slope};
  const auto squares = sum(copies, [](const Copy& c) { return moved_of(c) * moved_of(c); });
  return {0, sum(copies, [](const Copy& c) { return moved_of(c) * c.seconds(); }) / squares};
}

Json forecast_of(const std::vector<Json>& migrations) {
  const auto history = history_of(migrations);
  Json out = Json::object();
  tell_cutover(history, out);
  if (history.since_rollback == 0) {
    if (out.empty()) return nullptr;
    out["message"] = "There is no forecast: run a stage, and another one after it.";
    return out;
  }
  const auto line = fit(history.stages);
  const auto& last = history.stages.back();
  out["stages"] = history.stages.size();
  out["lastCopy"] = last_copy(last);
  out["since"] = rfc3339(last.ended);
  if (history.since_rollback == 1) {
    tell_one(history, line, out);
  } else {
    tell_rate(history, line, out);
  }
  return out;
}

std::optional<Duration> forecast_at(const Json& forecast, Time when) {
  const auto down = int_at(forecast, "downtimeSeconds");
  const auto since = parse_rfc3339(string_at(forecast, "since"));
  if (!down || !since) return std::nullopt;
  const auto hours = std::max(std::chrono::duration<double>(when - *since).count(), 0.0) / kHour;
  const auto growth = static_cast<double>(int_at(forecast, "downtimeSecondsPerHour").value_or(0));
  return std::chrono::seconds(*down + std::llround(growth * hours));
}

}  // namespace mtc::plan
