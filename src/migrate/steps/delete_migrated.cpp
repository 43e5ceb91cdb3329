#include <fmt/format.h>

#include "api/names.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr std::size_t kParallel = 8;
constexpr auto kLimit = std::chrono::minutes(15);

struct Place {
  kube::ResourceType type;
  std::string ns;
};

Task<std::vector<Place>> places(Migration& m) {
  std::vector<Place> out;
  const auto discovery = co_await m.destination->discovery();
  for (const auto& entry : discovery->entries()) {
    if (!entry.preferred || !entry.type.namespaced || !entry.can("list") || !entry.can("delete")) continue;
    for (const auto& ns : m.destination_namespaces()) out.push_back({entry.type, ns});
  }
  co_return out;
}

/// What this plan's migrations made there; the selector is the one that the restore put on every object (spec
/// migration.md §20.3).
Task<void> find_migrated(kube::ClientPtr cluster, Place where, std::string plan_uid,
                         std::vector<std::pair<Place, std::string>>* out) {
  const kube::ListOptions options{.label_selector = fmt::format("{}={}", api::labels::kMigratedByPlan, plan_uid)};
  for (const auto& object : co_await kube::list_all(*cluster, where.type, where.ns, options)) {
    // The namespace's own account belongs to the cluster.
    if (where.type.plural == "serviceaccounts" && kube::key_of(object).name == "default") continue;
    out->emplace_back(where, kube::key_of(object).name);
  }
}

Task<std::vector<std::pair<Place, std::string>>> migrated(Migration& m) {
  std::vector<std::pair<Place, std::string>> found;
  const auto all = co_await places(m);
  co_await async::parallel_for(all.size(), kParallel,
                               [&](std::size_t i) { return find_migrated(m.destination, all[i], m.plan.uid, &found); });
  co_return found;
}

Task<void> remove_one(kube::ClientPtr cluster, Place where, std::string name) {
  co_await cluster->remove(where.type, {where.ns, name});
}

}  // namespace

Task<Outcome> delete_migrated(Migration& m) {
  const auto found = co_await migrated(m);
  co_await async::parallel_for(found.size(), kParallel, [&](std::size_t i) {
    return remove_one(m.destination, found[i].first, found[i].second);
  });
  co_return done();
}

Task<Outcome> ensure_migrated_deleted(Migration& m) {
  const auto left = co_await migrated(m);
  if (left.empty()) co_return done();
  std::vector<std::string> names;
  for (const auto& [where, name] : left) {
    if (names.size() < 5) names.push_back(fmt::format("{} {}/{}", where.type.group_resource(), where.ns, name));
  }
  if (m.in_phase() > kLimit) {
    co_return fail("MigrationFailed",
                   {fmt::format("{} objects of the destination are not gone after 15 minutes (finalizers?): {}.",
                                left.size(), join(names, ", "))});
  }
  m.progress.push_back(fmt::format("{} objects are being deleted: {}", left.size(), join(names, ", ")));
  std::vector<Subject> subjects;
  for (const auto& [where, name] : left) {
    if (subjects.size() < 8)
      subjects.push_back(
          {m.destination, where.type, where.ns, fmt::format("{}={}", api::labels::kMigratedByPlan, m.plan.uid)});
  }
  co_return wait_for(std::move(subjects), std::chrono::seconds(10));
}

}  // namespace mtc::migrate
