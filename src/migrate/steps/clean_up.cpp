#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

const kube::ResourceType kMigMigrations{api::kGroup, api::kVersion, "migmigrations", "MigMigration"};

/// UIDs of this plan's and other plans' migrations that are not over.
Task<std::vector<std::string>> running_migrations(Migration& m) {
  std::vector<std::string> uids;
  for (const auto& object : co_await kube::list_all(*m.host, kMigMigrations, api::kNamespace)) {
    if (string_at(object, "status.phase") != "Completed") uids.push_back(kube::uid_of(object));
  }
  co_return uids;
}

/// Unfinished Backups or Restores of migrations that are over: nobody will finish them.
Task<void> remove_stale(kube::ClientPtr cluster, kube::ResourceType type, const std::vector<std::string>* running) {
  const kube::ListOptions ours{.label_selector = api::labels::kMigratedByMigration};
  for (const auto& object : co_await kube::list_all(*cluster, type, api::kNamespace, ours)) {
    const auto phase = string_at(object, "status.phase");
    const bool unfinished = phase.empty() || phase == "New" || phase == "InProgress";
    const auto owner = kube::label(object, api::labels::kMigratedByMigration);
    if (!unfinished || std::find(running->begin(), running->end(), owner) != running->end()) continue;
    const kube::DeleteOptions exactly{.uid = kube::uid_of(object)};
    co_await cluster->remove(type, kube::key_of(object), exactly);
  }
}

/// The Velero objects of this migration; of the whole plan if it is rolled back.
std::string selector_of(const Migration& m) {
  return m.self.rollback ? fmt::format("{}={}", api::labels::kMigratedByPlan, m.plan.uid)
                         : fmt::format("{}={}", api::labels::kMigratedByMigration, m.self.uid);
}

Task<std::vector<Json>> ours(kube::ClientPtr cluster, kube::ResourceType type, std::string selector) {
  const kube::ListOptions options{.label_selector = std::move(selector)};
  co_return co_await kube::list_all(*cluster, type, api::kNamespace, options);
}

Task<void> remove_all(kube::ClientPtr cluster, kube::ResourceType type, std::string selector) {
  for (const auto& object : co_await ours(cluster, type, std::move(selector)))
    co_await cluster->remove(type, kube::key_of(object));
}

}  // namespace

Task<Outcome> clean_stale_velero_crs(Migration& m) {
  const auto running = co_await running_migrations(m);
  for (const auto& cluster : {m.source, m.destination}) {
    co_await remove_stale(cluster, kube::types::backups(), &running);
    co_await remove_stale(cluster, kube::types::restores(), &running);
  }
  co_return done();
}

/// The built-in engine reads the credentials from the MigStorage; what has to be seen is that the bucket still takes
/// them.
Task<Outcome> ensure_cloud_secret_propagated(Migration& m) {
  std::string failure;
  try {
    co_await m.store->list("velero/", "/");
  } catch (const Error& error) {
    failure = error.what();
  }
  if (!failure.empty())
    co_return fail("MigrationFailed", {fmt::format("The replication repository does not answer: {}.", failure)});
  co_return done();
}

/// The Backup objects, and what they left in the bucket.
Task<Outcome> delete_backups(Migration& m) {
  const auto type = kube::types::backups();
  for (const auto& backup : co_await ours(m.source, type, selector_of(m))) {
    m.jobs->forget(kube::uid_of(backup));
    co_await blob::remove_prefix(*m.store, "velero/backups/" + kube::key_of(backup).name + "/");
  }
  co_await remove_all(m.source, type, selector_of(m));
  co_await remove_all(m.destination, type, selector_of(m));
  co_return done();
}

Task<Outcome> delete_restores(Migration& m) {
  const auto type = kube::types::restores();
  for (const auto& restore : co_await ours(m.destination, type, selector_of(m))) {
    m.jobs->forget(kube::uid_of(restore));
    co_await blob::remove_prefix(*m.store, "velero/restores/" + kube::key_of(restore).name + "/");
  }
  co_await remove_all(m.destination, type, selector_of(m));
  co_return done();
}

Task<Outcome> canceling(Migration& m) {
  m.conditions->set({.type = "Canceling",
                     .category = api::Category::kAdvisory,
                     .reason = "Cancel",
                     .message = "The migration is being canceled.",
                     .durable = true});
  co_return done();
}

Task<Outcome> canceled(Migration& m) {
  m.conditions->remove("Canceling");
  m.conditions->set({.type = "Canceled",
                     .category = api::Category::kAdvisory,
                     .reason = "Cancel",
                     .message = "The migration has been canceled.",
                     .durable = true});
  co_return done();
}

}  // namespace mtc::migrate
