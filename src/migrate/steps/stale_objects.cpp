#include "migrate/steps/stale_objects.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "json/json.hpp"
#include "plan/types.hpp"

namespace mtc::migrate {

Task<std::vector<std::string>> running_migrations(Migration& m) {
  std::vector<std::string> uids;
  for (const auto& object : co_await kube::list_all(*m.host, plan::types::mig_migrations(), api::kNamespace)) {
    if (string_at(object, "status.phase") != "Completed") uids.push_back(kube::uid_of(object));
  }
  co_return uids;
}

Task<std::size_t> remove_stale(Migration& m, kube::ClientPtr cluster, kube::ResourceType type,
                               const std::vector<std::string>* running) {
  std::size_t removed = 0;
  // Another host may use the same cluster: its migrations are not ours to judge.
  const kube::ListOptions ours{.label_selector = fmt::format("{},{}={}", api::labels::kMigratedByMigration,
                                                             api::labels::kController, m.host_id)};
  for (const auto& object : co_await kube::list_all(*cluster, type, api::kNamespace, ours)) {
    const auto phase = string_at(object, "status.phase");
    const bool unfinished = phase.empty() || phase == "New" || phase == "InProgress";
    const auto owner = kube::label(object, api::labels::kMigratedByMigration);
    if (!unfinished || std::ranges::find(*running, owner) != running->end()) continue;
    const kube::DeleteOptions exactly{.uid = kube::uid_of(object)};
    if (co_await cluster->remove(type, kube::key_of(object), exactly)) ++removed;
  }
  co_return removed;
}

}  // namespace mtc::migrate
