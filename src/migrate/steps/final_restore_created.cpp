#include <fmt/format.h>

#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {
namespace {

/// What became of every object, in a sentence, and what needs a look.
void account(api::Conditions& conditions, const backup::Outcome& outcome, const std::string& restore) {
  auto counts = outcome.counts();
  conditions.set(
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
  conditions.set(
      {.type = "DestinationObjectsDiffer",
       .category = api::Category::kWarn,
       .reason = "NotRestored",
       .message = "The destination already held other objects of these names, which were left as they are: [].",
       .durable = true,
       .items = std::move(conflicts)});
}

}  // namespace

Task<Outcome> final_restore_created(Migration& m) {
  const auto name = m.velero_name("final");
  return follow(m, {.cluster = m.destination,
                    .type = kube::types::restores(),
                    .name = name,
                    .failed_phase = "FinalRestoreFailed",
                    .done_field = "itemsRestored",
                    .line = restore_line,
                    .run = backup::run_restore,
                    .on_outcome = [conditions = m.conditions, name](const backup::Outcome& outcome) {
                      account(*conditions, outcome, name);
                    }});
}

}  // namespace mtc::migrate
