#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "api/volumes.hpp"
#include "base/error.hpp"
#include "migrate/advance.hpp"
#include "plan/migration_type.hpp"

namespace mtc::migrate {
namespace {

using enum api::Category;

void critical(api::Conditions& conditions, std::string type, std::string reason, std::string message) {
  conditions.set(
      {.type = std::move(type), .category = kCritical, .reason = std::move(reason), .message = std::move(message)});
}

/// Volumes that a plan wants to take along and nothing carries: a migration that ran without them would leave their
/// data behind. File systems and devices are copied, directly or through the repository, also as snapshots have them;
/// what is moved may be either.
std::vector<std::string> not_carried(const Json& plan_object) {
  const auto plan = api::MigPlan::parse(plan_object);
  std::vector<std::string> out;
  if (!api::volumes_enabled(plan_object)) return out;  // an operator has said so
  for (const auto& volume : api::volumes_of(plan)) {
    if (volume.action == api::VolumeAction::kSkip || volume.action == api::VolumeAction::kMove) continue;
    const bool by_movers = volume.is_direct_copy() || volume.is_snapshot_copy();
    if (!by_movers || volume.mode == api::VolumeMode::kUnknown) out.push_back(volume.claim.str());
  }
  return out;
}

/// A plan's volumes are bounded when they are read; what is beyond is said here rather than thrown.
void validate_volumes(const Json& plan, const api::Ref& ref, api::Conditions& conditions) {
  try {
    auto left_behind = not_carried(plan);
    if (left_behind.empty()) return;
    conditions.set({.type = "VolumeMigrationNotSupported",
                    .category = kCritical,
                    .reason = "NotSupported",
                    .message = fmt::format("MigPlan {} has volumes that this release does not carry: claims []. It "
                                           "copies file systems and devices; nothing was done.",
                                           ref.str()),
                    .items = std::move(left_behind)});
  } catch (const Error& error) {
    critical(conditions, "VolumeMigrationNotSupported", "NotSupported", error.what());
  }
}

/// Claims that would be copied to themselves or to one another, also skipped ones (spec conditions.md §7).
std::vector<std::string> conflicting_claims(const api::MigPlan& plan) {
  std::set<std::string> sources, targets;
  std::vector<std::string> out;
  for (const auto& volume : api::volumes_of(plan)) {
    sources.insert(volume.claim.str());
    if (!targets.insert(volume.target.str()).second) out.push_back(volume.target.str());
  }
  std::ranges::set_intersection(sources, targets, std::back_inserter(out));
  return out;
}

/// Within one cluster nothing can take its own place.
void validate_within_cluster(const api::MigMigration& self, const api::MigPlan& plan, api::Conditions& conditions) {
  std::set<std::string> sources;
  for (const auto& ns : plan.namespaces) sources.insert(ns.source);
  const bool meets_itself =
      std::ranges::any_of(plan.namespaces, [&](const auto& ns) { return sources.contains(ns.destination); });
  if (!self.migrate_state && !self.rollback && meets_itself) {
    critical(conditions, "Failed", "NotSupported",
             "Source and destination are the same cluster, and a namespace is mapped to one of the plan's: nothing but "
             "volumes can be migrated (`migrateState`), or every namespace needs another name.");
  }
  try {
    auto common = conflicting_claims(plan);
    if (common.empty()) return;
    conditions.set({.type = "ConflictingPVCMappings",
                    .category = kCritical,
                    .reason = "PvNameConflict",
                    .message = "Claims [] would be copied to claims that are the plan's own: give each a name of its "
                               "own in `pvc.name` (name:new-name).",
                    .items = std::move(common)});
  } catch (const Error&) {  // validate_volumes has said what is wrong with the list
  }
}

bool is_over(const Json& migration) { return string_at(migration, "status.phase") == "Completed"; }
bool has_begun(const Json& migration) { return !string_at(migration, "status.startTimestamp").empty(); }

/// Those that run or wait, the one that has begun first: nobody overtakes it.
std::vector<const Json*> queue_of(const std::vector<Json>& siblings) {
  std::vector<const Json*> queue;
  for (const auto& sibling : siblings) {
    if (!is_over(sibling)) queue.push_back(&sibling);
  }
  std::ranges::sort(queue, {}, [](const Json* migration) {
    return std::tuple(!has_begun(*migration), string_at(*migration, "metadata.creationTimestamp"),
                      string_at(*migration, "metadata.name"));
  });
  return queue;
}

/// Whether an earlier migration of the plan rules this one out (spec migration.md §4.2).
bool has_final(const api::MigMigration& self, const std::vector<Json>& siblings, bool converts) {
  std::vector<const Json*> newest_first;
  for (const auto& sibling : siblings) {
    const auto other = api::MigMigration::parse(sibling);
    // After a conversion the claims that it began with are out of date: to copy them again would undo what came since.
    const bool counts = !other.migrate_state || (converts && other.quiesce);
    if (other.uid != self.uid && !other.stage && counts && !other.canceled) newest_first.push_back(&sibling);
  }
  std::ranges::sort(newest_first, std::ranges::greater{},
                    [](const Json* migration) { return string_at(*migration, "metadata.creationTimestamp"); });
  for (const auto* sibling : newest_first) {
    const bool succeeded =
        api::has_condition(*sibling, "Succeeded") || api::has_condition(*sibling, "SucceededWithWarnings");
    if (bool_at(*sibling, "spec.rollback") && succeeded) return false;
    if (bool_at(*sibling, "spec.rollback")) continue;
    if (self.stage && (succeeded || api::has_condition(*sibling, "Running") || api::has_condition(*sibling, "Failed")))
      return true;
    if (!self.stage && succeeded) return true;
  }
  return false;
}

}  // namespace

void validate(const api::MigMigration& self, const Surroundings& around, api::Conditions& conditions) {
  const auto& [plan, siblings, one_cluster] = around;
  if (!self.plan.set())
    return critical(conditions, "InvalidPlanRef", "NotSet", "The `migPlanRef` must name a MigPlan and its namespace.");
  if (!plan)
    return critical(conditions, "InvalidPlanRef", "NotFound",
                    fmt::format("The `migPlanRef` must name a MigPlan that exists, subject: {}.", self.plan.str()));
  if (!api::has_condition(*plan, "Ready")) {
    critical(conditions, "PlanNotReady", "",
             fmt::format("The referenced MigPlan is not ready, subject: {}. See its conditions.", self.plan.str()));
  }
  if (bool_at(*plan, "spec.closed"))
    critical(conditions, "PlanClosed", "",
             fmt::format("The associated migration plan is closed, subject: {}.", self.plan.str()));
  if (!self.rollback) validate_volumes(*plan, self.plan, conditions);
  if (self.stage + self.migrate_state + self.rollback > 1) {
    critical(conditions, "InvalidSpec", "NotSupported",
             "Only one of `stage`, `migrateState` and `rollback` can be true.");
  }
  const auto parsed = api::MigPlan::parse(*plan);
  if (one_cluster) validate_within_cluster(self, parsed, conditions);
  const bool converts = self.migrate_state && plan::is_conversion(parsed, one_cluster);
  if (!self.rollback && has_final(self, siblings, converts)) {
    critical(conditions, "HasFinalMigration", "",
             fmt::format("The associated MigPlan already has a final migration, subject: {}.", self.plan.str()));
  }
  const auto queue = queue_of(siblings);
  const auto at = std::ranges::find_if(
      queue, [&](const Json* migration) { return string_at(*migration, "metadata.uid") == self.uid; });
  if (at != queue.begin() && at != queue.end()) {
    critical(conditions, "Postponed", "",
             fmt::format("Waiting for migration {} of the same plan to end; {} are ahead.",
                         string_at(*queue.front(), "metadata.name"), at - queue.begin()));
  }
}

}  // namespace mtc::migrate
