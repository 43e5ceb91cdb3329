#include "migrate/steps/velero_objects.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "api/names.hpp"
#include "json/json.hpp"
#include "json/patch.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLook = std::chrono::seconds(5);
constexpr auto kPatience = std::chrono::minutes(10);  ///< with a store or cluster that is away for a while

/// Failed items as reasons, at most twenty, then how many more.
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

/// Merges `status` into the object's status, if that changes anything.
Task<void> write_status(const VeleroWork& work, const Json& object, const Json& status) {
  if (apply_merge_patch(object_at(object, "status"), status) == object_at(object, "status")) co_return;
  const Json patch = {{"status", status}};
  co_await work.cluster->patch(work.type, kube::key_of(object), kube::PatchKind::kMerge, patch);
}

/// Where the work stands, as a change of the object's status.
Json status_of(const VeleroWork& work, const Json& object, const Jobs::View& job, Time now) {
  Json status = work.first_status.is_object() ? work.first_status : Json::object();
  status["phase"] = "InProgress";
  status["progress"] = {{std::string(work.done_field), job.progress.done}, {"totalItems", job.progress.total}};
  if (string_at(object, "status.startTimestamp").empty()) status["startTimestamp"] = rfc3339(now);
  if (job.state != Jobs::State::kRunning) status["completionTimestamp"] = rfc3339(now);
  return status;
}

void show(Migration& m, const VeleroWork& work, const Json& object, const Json& status, backup::Progress progress,
          std::vector<std::string> more) {
  m.progress = {work.line(apply_merge_patch(object, {{"status", status}}), progress, m.clock->now())};
  std::ranges::move(more, std::back_inserter(m.progress));
}

/// `volumes` were done before.
Task<Outcome> follow_job(Migration& m, VeleroWork work, Json object, VolumeWork volumes) {
  const std::string failed_phase(work.failed_phase);
  const auto name = work.type.kind + " " + kube::key_of(object).str();
  const auto key = kube::uid_of(object);
  const backup::Environment environment{.cluster = work.cluster,
                                        .store = m.store,
                                        .prefix = "velero",
                                        .clock = m.clock,
                                        .pod_volume_backups = std::move(volumes.objects)};
  auto run = [start = work.run, environment, object](backup::OnProgress on_progress) {
    return start(environment, object, std::move(on_progress));
  };
  const auto job = m.jobs->ensure(key, std::move(run), m.wake);
  auto status = status_of(work, object, job, m.clock->now());
  show(m, work, object, status, job.progress, std::move(volumes.lines));

  if (job.state == Jobs::State::kRunning) {
    co_await write_status(work, object, status);
    co_return wait_for({}, kLook);
  }
  if (job.state == Jobs::State::kFailed && job.error->transient() && m.in_phase() < kPatience) {
    m.progress.push_back(fmt::format("Trying again: {}", job.error->what()));
    m.jobs->forget(key);
    co_return wait_for({}, kLook);
  }
  std::vector<std::string> reasons;
  if (job.state == Jobs::State::kFailed) {
    status["phase"] = "Failed";
    status["failureReason"] = job.error->what();
    reasons = {fmt::format("{}: failed: {}.", name, job.error->what())};
  } else {
    status["phase"] = job.outcome->complete() ? "Completed" : "PartiallyFailed";
    reasons = reasons_of(*job.outcome, name);
    status["errors"] = reasons.size();
    if (work.on_outcome) work.on_outcome(*job.outcome);
  }
  co_await write_status(work, object, status);
  m.jobs->forget(key);
  co_return reasons.empty() ? done() : fail(failed_phase, std::move(reasons));
}

/// The Velero objects of this migration; of the whole plan if it is rolled back.
std::string selector_of(const Migration& m) {
  return m.self.rollback ? fmt::format("{}={}", api::labels::kMigratedByPlan, m.plan.uid)
                         : fmt::format("{}={}", api::labels::kMigratedByMigration, m.self.uid);
}

}  // namespace

Json taken_in_hand() { return {{"phase", "InProgress"}}; }

std::string elapsed(const Json& object, Time now) {
  const auto started = parse_rfc3339(string_at(object, "status.startTimestamp"));
  if (!started) return "";
  const auto ended = parse_rfc3339(string_at(object, "status.completionTimestamp")).value_or(now);
  return fmt::format("({})", go_seconds(std::max<Duration>(ended - *started, Duration::zero())));
}

std::string backup_line(const Json& backup, backup::Progress progress, Time now) {
  const auto time = elapsed(backup, now);
  return fmt::format("Backup {}: {} out of estimated total of {} objects backed up{}{}", kube::key_of(backup).str(),
                     progress.done, progress.total, time.empty() ? "" : " ", time);
}

std::string restore_line(const Json& restore, backup::Progress progress, Time now) {
  return fmt::format("Restore {}: {} out of estimated total of {} objects restored {}", kube::key_of(restore).str(),
                     progress.done, progress.total, elapsed(restore, now));
}

Task<Outcome> follow(Migration& m, VeleroWork work) {
  const auto object = co_await work.cluster->get(work.type, {api::kNamespace, work.name});
  if (!object) {
    co_return fail(std::string(work.failed_phase),
                   {fmt::format("{} {} was deleted while the migration waited for it.", work.type.kind, work.name)});
  }
  VolumeWork volumes{.done = true};
  if (work.volumes != nullptr) volumes = co_await work.volumes(m, *object);
  if (volumes.done && volumes.reasons.empty() && work.run != nullptr)
    co_return co_await follow_job(m, std::move(work), *object, std::move(volumes));

  // A restore of volumes alone counts them; a backup will count objects.
  const Jobs::View view{.progress = work.run == nullptr ? volumes.count : backup::Progress{}};
  const auto now = m.clock->now();
  auto status = status_of(work, *object, view, now);
  if (volumes.done) {
    status["completionTimestamp"] = rfc3339(now);
    status["phase"] = volumes.reasons.empty() ? "Completed" : "PartiallyFailed";
    status["errors"] = volumes.failed;
  }
  show(m, work, *object, status, view.progress, std::move(volumes.lines));
  co_await write_status(work, *object, status);
  if (!volumes.done) co_return wait_for(std::move(volumes.wake_on), volumes.again_after.value_or(kLook));
  co_return volumes.reasons.empty() ? done() : fail(std::string(work.failed_phase), std::move(volumes.reasons));
}

Task<void> remove_velero_objects(Migration& m, kube::ClientPtr cluster, kube::ResourceType type, std::string folder) {
  const kube::ListOptions ours{.label_selector = selector_of(m)};
  for (const auto& object : co_await kube::list_all(*cluster, type, api::kNamespace, ours)) {
    m.jobs->forget(kube::uid_of(object));
    co_await blob::remove_prefix(*m.store, fmt::format("velero/{}/{}/", folder, kube::key_of(object).name));
    co_await cluster->remove(type, kube::key_of(object));
  }
}

}  // namespace mtc::migrate
