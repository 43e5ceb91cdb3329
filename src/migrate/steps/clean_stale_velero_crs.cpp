#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"
#include "plan/types.hpp"

namespace mtc::migrate {
namespace {

/// UIDs of this host's migrations that are not over.
Task<std::vector<std::string>> running_migrations(Migration& m) {
  std::vector<std::string> uids;
  for (const auto& object : co_await kube::list_all(*m.host, plan::types::mig_migrations(), api::kNamespace)) {
    if (string_at(object, "status.phase") != "Completed") uids.push_back(kube::uid_of(object));
  }
  co_return uids;
}

/// Unfinished Backups or Restores of migrations that are over: nobody will finish them.
Task<void> remove_stale(Migration& m, kube::ClientPtr cluster, kube::ResourceType type,
                        const std::vector<std::string>* running) {
  // Another host may use the same cluster: its migrations are not ours to judge.
  const kube::ListOptions ours{.label_selector = fmt::format("{},{}={}", api::labels::kMigratedByMigration,
                                                             api::labels::kController, m.host_id)};
  for (const auto& object : co_await kube::list_all(*cluster, type, api::kNamespace, ours)) {
    const auto phase = string_at(object, "status.phase");
    const bool unfinished = phase.empty() || phase == "New" || phase == "InProgress";
    const auto owner = kube::label(object, api::labels::kMigratedByMigration);
    if (!unfinished || std::find(running->begin(), running->end(), owner) != running->end()) continue;
    const kube::DeleteOptions exactly{.uid = kube::uid_of(object)};
    co_await cluster->remove(type, kube::key_of(object), exactly);
  }
}

}  // namespace

Task<Outcome> clean_stale_velero_crs(Migration& m) {
  const auto running = co_await running_migrations(m);
  for (const auto& cluster : {m.source, m.destination}) {
    co_await remove_stale(m, cluster, kube::types::backups(), &running);
    co_await remove_stale(m, cluster, kube::types::restores(), &running);
  }
  co_return done();
}

}  // namespace mtc::migrate
