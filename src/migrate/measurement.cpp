#include "migrate/measurement.hpp"

#include <algorithm>
#include <array>

#include "plan/forecast.hpp"

namespace mtc::migrate {
namespace {

constexpr std::array<std::string_view, 2> kStopping{"QuiesceApplications", "QuiesceSourceApplications"};
constexpr std::array<std::string_view, 3> kCopying{"CreateDirectVolumeMigration", "CreateDirectVolumeMigrationStage",
                                                   "EnsureStageBackup"};
constexpr std::array<std::string_view, 2> kCopied{"StageRestoreCreated", "WaitForDirectVolumeMigrationToComplete"};

bool is_one_of(std::string_view phase, const auto& phases) { return std::ranges::find(phases, phase) != phases.end(); }

void note_first(Json& status, const char* what, Time now) {
  auto& measured = status["measured"];
  if (!measured.contains(what)) measured[what] = rfc3339_micro(now);
}

/// Nothing unless every volume that was copied says how much of it moved: a sum of some would be too small.
void add_bytes(Json& measured, const std::vector<report::VolumeResult>& volumes) {
  std::int64_t bytes = 0;
  std::int64_t moved = 0;
  bool verified = true;
  for (const auto& volume : volumes) {
    if (!volume.succeeded) continue;
    const auto part = int_at(volume.facts, "movedBytes");
    if (!part) return;
    bytes += int_at(volume.facts, "bytes").value_or(0);
    moved += *part;
    verified = verified && bool_at(volume.facts, "verified");
  }
  measured["bytes"] = bytes;
  measured["movedBytes"] = moved;
  measured["verified"] = verified;
}

}  // namespace

void note_passage(Json& status, std::string_view left, std::string_view next, Time now) {
  if (is_one_of(next, kStopping)) note_first(status, "downSince", now);
  if (is_one_of(next, kCopying)) note_first(status, "copyStarted", now);
  if (is_one_of(left, kCopied)) status["measured"]["copyEnded"] = rfc3339_micro(now);
}

void conclude(Json& status, const std::vector<report::VolumeResult>& volumes, const Json& forecast, Time now) {
  if (!status.contains("measured")) return;
  auto& measured = status["measured"];
  if (measured.contains("copyEnded")) add_bytes(measured, volumes);
  const auto down = parse_rfc3339(string_at(measured, "downSince"));
  if (!down) return;
  measured["downtimeSeconds"] = std::chrono::round<std::chrono::seconds>(now - *down).count();
  if (const auto said = plan::forecast_at(forecast, *down))
    measured["forecastSeconds"] = std::chrono::round<std::chrono::seconds>(*said).count();
}

}  // namespace mtc::migrate
