#include <set>

#include <fmt/format.h>

#include "api/names.hpp"
#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/steps/steps.hpp"
#include "plan/types.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kPatience = std::chrono::minutes(10);

std::string all_helpers() { return fmt::format("{}={}", kAppLabel, kApp); }

std::string label_of(const Helper& helper, const char* key) {
  const auto* value = member(helper.labels, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

/// Helpers of DirectVolumeMigrations of this host that have ended, and of others of this plan, whose migrations run one
/// at a time. Those of anybody else may be at work.
Task<std::vector<Helper>> stale_helpers(Copying& c) {
  std::set<std::string> ended;
  for (const auto& other : co_await kube::list_all(*c.host, plan::types::direct_volume_migrations(), api::kNamespace)) {
    if (string_at(other, "status.phase") == "Completed") ended.insert(kube::uid_of(other));
  }
  auto found = co_await helpers(c, all_helpers());
  std::erase_if(found, [&](const Helper& helper) {
    const auto owner = label_of(helper, api::labels::kDirectVolumeMigration);
    const auto plan = label_of(helper, api::labels::kMigratedByPlan);
    const bool stale = owner != c.self.uid && (ended.contains(owner) || (!plan.empty() && plan == c.self.plan_uid));
    return !stale;
  });
  co_return found;
}

}  // namespace

Task<Outcome> clean_stale_resources(Copying& c) {
  co_await remove(co_await stale_helpers(c));
  co_return done();
}

Task<Outcome> wait_for_stale_resources(Copying& c) {
  const auto left = co_await stale_helpers(c);
  if (left.empty()) co_return done();
  if (c.in_phase() > kPatience) {
    co_return fail("MigrationFailed",
                   {fmt::format("Helpers of an earlier direct volume migration are not gone after 10 "
                                "minutes: {}. Delete them and try again.",
                                names_of(left))});
  }
  co_return wait_for(subjects_of(left, all_helpers()), std::chrono::seconds(30));
}

}  // namespace mtc::migrate::volumes
