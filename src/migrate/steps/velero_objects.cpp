#include "migrate/steps/velero_objects.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "json/json.hpp"
#include "json/patch.hpp"

namespace mtc::migrate {
namespace {

/// " (5s)", or "" before it started.
std::string elapsed(const Json& object, Time now) {
  const auto started = parse_rfc3339(string_at(object, "status.startTimestamp"));
  if (!started) return "";
  const auto ended = parse_rfc3339(string_at(object, "status.completionTimestamp")).value_or(now);
  return fmt::format("({})", go_seconds(std::max<Duration>(ended - *started, Duration::zero())));
}

}  // namespace

backup::Environment environment_of(const Migration& m, kube::ClientPtr cluster) {
  return {.cluster = std::move(cluster), .store = m.store, .prefix = "velero", .clock = m.clock};
}

std::string backup_line(const Json& backup, std::int64_t done, std::int64_t total, Time now) {
  const auto time = elapsed(backup, now);
  return fmt::format("Backup {}: {} out of estimated total of {} objects backed up{}{}", kube::key_of(backup).str(),
                     done, total, time.empty() ? "" : " ", time);
}

std::string restore_line(const Json& restore, std::int64_t done, std::int64_t total, Time now) {
  return fmt::format("Restore {}: {} out of estimated total of {} objects restored {}", kube::key_of(restore).str(),
                     done, total, elapsed(restore, now));
}

std::vector<std::string> reasons_of(const backup::Outcome& outcome, const std::string& object) {
  constexpr std::size_t kMost = 20;
  std::vector<std::string> reasons;
  std::size_t failed = 0;
  for (const auto& item : outcome.items) {
    if (item.fate != backup::ItemResult::Fate::kFailed) continue;
    if (++failed > kMost) continue;
    reasons.push_back(fmt::format("{}: {} {}{}{}: {}", object, item.group_resource, item.ns, item.ns.empty() ? "" : "/",
                                  item.name, item.detail));
  }
  if (failed > kMost) reasons.push_back(fmt::format("{}: and {} more objects.", object, failed - kMost));
  return reasons;
}

Task<void> write_status(kube::ClientPtr cluster, kube::ResourceType type, const Json* object, Json status) {
  const auto merged = apply_merge_patch(object_at(*object, "status"), status);
  if (merged == object_at(*object, "status")) co_return;
  const Json patch = {{"status", std::move(status)}};
  co_await cluster->patch(type, kube::key_of(*object), kube::PatchKind::kMerge, patch);
}

}  // namespace mtc::migrate
