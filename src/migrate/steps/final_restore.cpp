#include <set>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {
namespace {

const auto kRestores = kube::types::restores;
constexpr auto kLook = std::chrono::seconds(5);

/// Kinds that the destination does not serve, as "resource.group".
Json incompatible(const Json& plan_object) {
  std::set<std::string> names;
  for (const auto& ns : array_at(plan_object, "status.incompatibleNamespaces")) {
    for (const auto& gvk : array_at(ns, "gvks")) {
      const auto group = string_at(gvk, "group");
      names.insert(string_at(gvk, "kind") + (group.empty() ? "" : "." + group));
    }
  }
  return Json(names);
}

/// What became of every object, in a sentence, and what needs a look.
void account(Migration& m, const backup::Outcome& outcome, const std::string& restore) {
  auto counts = outcome.counts();
  m.conditions->set(
      {.type = "ObjectsAccounted",
       .category = api::Category::kAdvisory,
       .reason = "Complete",
       .message = fmt::format("{} objects: {} restored unchanged, {} adapted to the destination, {} left out on "
                              "purpose, {} failed. The bucket has each with its reason: velero/restores/{}.",
                              outcome.items.size(), counts["restored"], counts["transformed"], counts["skipped"],
                              counts["failed"], restore),
       .durable = true});
  std::vector<std::string> conflicts;
  for (const auto& item : outcome.items) {
    if (item.conflict && conflicts.size() < 20)
      conflicts.push_back(fmt::format("{} {}/{}", item.group_resource, item.ns, item.name));
  }
  if (conflicts.empty()) return;
  m.conditions->set(
      {.type = "DestinationObjectsDiffer",
       .category = api::Category::kWarn,
       .reason = "NotRestored",
       .message = "The destination already held other objects of these names, which were left as they are: [].",
       .durable = true,
       .items = std::move(conflicts)});
}

}  // namespace

Task<Outcome> ensure_final_restore(Migration& m) {
  Json labels = m.labels();
  labels[api::labels::kFinalRestore] = m.self.uid;
  Json spec = {{"backupName", m.velero_name("initial")}, {"restorePVs", true}};
  Json mapping = Json::object();
  for (const auto& ns : m.plan.namespaces) {
    if (ns.source != ns.destination) mapping[ns.source] = ns.destination;
  }
  if (!mapping.empty()) spec["namespaceMapping"] = mapping;
  if (auto excluded = incompatible(m.plan_object); !excluded.empty()) spec["excludedResources"] = excluded;
  Json annotations = {{api::annotations::kMigrationType, m.self.stage ? "stage" : "final"}};
  if (m.self.quiesce) annotations["openshift.io/migrate-quiesce-pods"] = "true";
  const Json restore = {{"apiVersion", "velero.io/v1"},
                        {"kind", "Restore"},
                        {"metadata",
                         {{"namespace", api::kNamespace},
                          {"name", m.velero_name("final")},
                          {"labels", labels},
                          {"annotations", annotations}}},
                        {"spec", spec}};
  co_await kube::ensure(*m.destination, kRestores(), restore);
  co_return done();
}

Task<Outcome> final_restore_created(Migration& m) {
  const auto restore = co_await m.destination->get(kRestores(), {api::kNamespace, m.velero_name("final")});
  if (!restore)
    co_return fail("FinalRestoreFailed",
                   {fmt::format("Restore {} was deleted while the migration waited for it.", m.velero_name("final"))});
  const auto key = kube::uid_of(*restore);
  const auto name = "Restore " + kube::key_of(*restore).str();
  auto work = [environment = environment_of(m, m.destination), object = *restore](backup::OnProgress on_progress) {
    return backup::run_restore(environment, object, std::move(on_progress));
  };
  const auto job = m.jobs->ensure(key, std::move(work), m.wake);
  const auto now = m.clock->now();
  Json status = {{"phase", "InProgress"},
                 {"progress", {{"itemsRestored", job.progress.done}, {"totalItems", job.progress.total}}}};
  auto shown = *restore;
  if (string_at(shown, "status.startTimestamp").empty())
    status["startTimestamp"] = shown["status"]["startTimestamp"] = rfc3339(now);
  if (job.state != Jobs::State::kRunning)
    status["completionTimestamp"] = shown["status"]["completionTimestamp"] = rfc3339(now);
  m.progress = {restore_line(shown, job.progress.done, job.progress.total, now)};

  if (job.state == Jobs::State::kRunning) {
    co_await write_status(m.destination, kRestores(), &*restore, std::move(status));
    co_return wait_for({}, kLook);
  }
  if (job.state == Jobs::State::kFailed) {
    status["phase"] = "Failed";
    status["failureReason"] = job.error;
    const auto error = job.error;
    m.jobs->forget(key);
    co_await write_status(m.destination, kRestores(), &*restore, std::move(status));
    co_return fail("FinalRestoreFailed", {fmt::format("{}: failed: {}.", name, error)});
  }
  status["phase"] = job.outcome->complete() ? "Completed" : "PartiallyFailed";
  auto reasons = reasons_of(*job.outcome, name);
  status["errors"] = reasons.size();
  account(m, *job.outcome, kube::key_of(*restore).name);
  co_await write_status(m.destination, kRestores(), &*restore, std::move(status));
  m.jobs->forget(key);
  if (!reasons.empty()) co_return fail("FinalRestoreFailed", std::move(reasons));
  co_return done();
}

}  // namespace mtc::migrate
