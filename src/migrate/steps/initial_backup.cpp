#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {
namespace {

const auto kBackups = kube::types::backups;
constexpr auto kLook = std::chrono::seconds(5);

/// The location that the plan made, by its label.
Task<std::string> location_name(Migration& m, kube::ResourceType type) {
  const kube::ListOptions options{.label_selector = fmt::format("{}={}", api::labels::kPlan, m.plan.uid)};
  const auto found = co_await kube::list_all(*m.source, type, api::kNamespace, options);
  co_return found.empty() ? "" : kube::key_of(found.front()).name;
}

Task<Json> excluded_resources(Migration& m) {
  Json excluded = {"imagestreams", "persistentvolumes", "persistentvolumeclaims"};
  for (const auto& name : strings_at(m.plan_object, "status.excludedResources")) {
    if (std::find(excluded.begin(), excluded.end(), name) == excluded.end()) excluded.push_back(name);
  }
  co_return excluded;
}

/// Group and kind of spec.includedResources as resource names.
Task<Json> included_resources(Migration& m) {
  Json included = Json::array();
  const auto discovery = co_await m.source->discovery();
  for (const auto& entry : m.plan.included_resources) {
    const auto* found = discovery->find_kind(string_at(entry, "group"), string_at(entry, "kind"));
    if (found != nullptr) included.push_back(found->type.group_resource());
  }
  co_return included;
}

}  // namespace

Task<Outcome> ensure_initial_backup(Migration& m) {
  const auto location = co_await location_name(m, kube::types::backup_storage_locations());
  if (location.empty()) {
    co_return fail("MigrationFailed", {fmt::format("The source cluster has no BackupStorageLocation of MigPlan {}: set "
                                                   "spec.refresh on the plan and try again.",
                                                   m.plan.self.str())});
  }
  Json labels = m.labels();
  labels[api::labels::kInitialBackup] = m.self.uid;
  Json spec = {{"includedNamespaces", m.source_namespaces()},
               {"excludedResources", co_await excluded_resources(m)},
               {"storageLocation", location},
               {"volumeSnapshotLocations", {co_await location_name(m, kube::types::volume_snapshot_locations())}},
               {"ttl", "720h0m0s"},
               {"hooks", Json::object()}};
  if (!m.plan.label_selector.is_null()) spec["labelSelector"] = m.plan.label_selector;
  if (auto included = co_await included_resources(m); !included.empty()) spec["includedResources"] = included;
  const Json backup = {{"apiVersion", "velero.io/v1"},
                       {"kind", "Backup"},
                       {"metadata",
                        {{"namespace", api::kNamespace},
                         {"name", m.velero_name("initial")},
                         {"labels", labels},
                         {"annotations", {{api::annotations::kMigrationType, m.self.stage ? "stage" : "final"}}}}},
                       {"spec", spec}};
  co_await kube::ensure(*m.source, kBackups(), backup);
  co_return done();
}

/// Waits for the objects' backup. An object that it does not hold would be lost by the cutover, so a partial one fails
/// the migration here, before anything is scaled down.
Task<Outcome> initial_backup_created(Migration& m) {
  const auto backup = co_await m.source->get(kBackups(), {api::kNamespace, m.velero_name("initial")});
  if (!backup)
    co_return fail("InitialBackupFailed",
                   {fmt::format("Backup {} was deleted while the migration waited for it.", m.velero_name("initial"))});
  const auto key = kube::uid_of(*backup);
  const auto name = "Backup " + kube::key_of(*backup).str();
  auto work = [environment = environment_of(m, m.source), object = *backup](backup::OnProgress on_progress) {
    return backup::run_backup(environment, object, std::move(on_progress));
  };
  const auto job = m.jobs->ensure(key, std::move(work), m.wake);
  const auto now = m.clock->now();
  Json status = {{"phase", "InProgress"},
                 {"version", 1},
                 {"formatVersion", "1.1.0"},
                 {"progress", {{"itemsBackedUp", job.progress.done}, {"totalItems", job.progress.total}}}};
  auto shown = *backup;
  if (string_at(shown, "status.startTimestamp").empty())
    status["startTimestamp"] = shown["status"]["startTimestamp"] = rfc3339(now);
  if (job.state != Jobs::State::kRunning)
    status["completionTimestamp"] = shown["status"]["completionTimestamp"] = rfc3339(now);
  m.progress = {backup_line(shown, job.progress.done, job.progress.total, now)};

  if (job.state == Jobs::State::kRunning) {
    co_await write_status(m.source, kBackups(), &*backup, std::move(status));
    co_return wait_for({}, kLook);
  }
  if (job.state == Jobs::State::kFailed) {
    status["phase"] = "Failed";
    status["failureReason"] = job.error;
    const auto error = job.error;
    m.jobs->forget(key);
    co_await write_status(m.source, kBackups(), &*backup, std::move(status));
    co_return fail("InitialBackupFailed", {fmt::format("{}: failed: {}.", name, error)});
  }
  status["phase"] = job.outcome->complete() ? "Completed" : "PartiallyFailed";
  auto reasons = reasons_of(*job.outcome, name);
  status["errors"] = reasons.size();
  co_await write_status(m.source, kBackups(), &*backup, std::move(status));
  m.jobs->forget(key);
  if (!reasons.empty()) co_return fail("InitialBackupFailed", std::move(reasons));
  co_return done();
}

/// Puts the Backup on the destination itself, instead of waiting for somebody to find it in the bucket.
Task<Outcome> ensure_initial_backup_replicated(Migration& m) {
  const auto backup = co_await kube::must_get(*m.source, kBackups(), {api::kNamespace, m.velero_name("initial")});
  const Json copy = {{"apiVersion", "velero.io/v1"},
                     {"kind", "Backup"},
                     {"metadata",
                      {{"namespace", api::kNamespace},
                       {"name", kube::key_of(backup).name},
                       {"labels", object_at(backup, "metadata.labels")},
                       {"annotations", object_at(backup, "metadata.annotations")}}},
                     {"spec", object_at(backup, "spec")},
                     {"status", object_at(backup, "status")}};
  co_await kube::ensure(*m.destination, kBackups(), copy);
  co_return done();
}

}  // namespace mtc::migrate
