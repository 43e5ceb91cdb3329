#include <algorithm>

#include <fmt/format.h>

#include "api/volume_migration.hpp"
#include "base/strings.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/volume_migration.hpp"
#include "migrate/volumes/losses.hpp"
#include "migrate/volumes/settings.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLook = std::chrono::seconds(30);
constexpr auto kFailedPhase = "DirectVolumeMigrationFailed";

/// The messages of its conditions of a category.
std::vector<std::string> messages(const Json& volume_migration, std::string_view category) {
  std::vector<std::string> out;
  for (const auto& condition : array_at(volume_migration, "status.conditions")) {
    if (string_at(condition, "category") == category && string_at(condition, "status") == "True")
      out.push_back(string_at(condition, "message"));
  }
  return out;
}

/// What keeps it from beginning for ever; a cluster that is not ready may be so later.
std::vector<std::string> obstacles(const Json& volume_migration) {
  if (!string_at(volume_migration, "status.itinerary").empty()) return {};
  if (api::has_condition(volume_migration, "SourceClusterNotReady") ||
      api::has_condition(volume_migration, "DestinationClusterNotReady"))
    return {};
  return messages(volume_migration, "Critical");
}

void show_blockers(Migration& m, const Json& volume_migration) {
  auto blockers = messages(volume_migration, "Warn");
  for (auto& message : messages(volume_migration, "Critical")) blockers.push_back(std::move(message));
  if (blockers.empty()) return;
  m.conditions->set({.type = "DirectVolumeMigrationBlocked",
                     .category = api::Category::kWarn,
                     .reason = "NotReady",
                     .message = join(blockers, ", ")});
}

/// A copy that is not whole makes it SucceededWithWarnings.
void show_losses(Migration& m, const Json& volume_migration) {
  for (const auto& condition : array_at(volume_migration, "status.conditions")) {
    const auto type = string_at(condition, "type");
    if (type != volumes::kFilesSkipped && type != volumes::kAttributesNotKept) continue;
    m.conditions->set(
        {.type = type, .category = api::Category::kWarn, .message = string_at(condition, "message"), .durable = true});
  }
}

/// Volumes that are not there are no warning: an application that started without its data would lose it.
Outcome failed_with(Migration& m, std::vector<std::string> reasons, const std::string& name) {
  for (auto& reason : reasons) reason = fmt::format("DirectVolumeMigration {}: {}", name, reason);
  m.conditions->set({.type = "DirectVolumeMigrationFailed",
                     .category = api::Category::kWarn,
                     .message = fmt::format("DirectVolumeMigration {} has failed; its volumes are not all on the "
                                            "destination. See: Errors.",
                                            name),
                     .durable = true});
  return fail(kFailedPhase, std::move(reasons));
}

}  // namespace

Task<Outcome> wait_for_volume_migration(Migration& m) {
  const auto found = co_await find_volume_migration(m);
  if (!found) {
    co_return fail(kFailedPhase, {fmt::format("DirectVolumeMigration {} was deleted while the migration waited for it.",
                                              volume_migration_name(m))});
  }
  const auto name = kube::key_of(*found).str();
  const auto limit = volumes::attempts_of(m.volumes, int_at(*found, "spec.backOffLimit").value_or(0));
  m.progress = volume_lines(*found, limit);
  m.description = string_at(*found, "status.phaseDescription");
  if (auto reasons = obstacles(*found); !reasons.empty()) co_return failed_with(m, std::move(reasons), name);
  const bool over = string_at(*found, "status.phase") == "Completed";
  if (over && api::has_condition(*found, "Succeeded")) {
    show_losses(m, *found);
    co_return done();
  }
  if (over) {
    auto reasons = strings_at(*found, "status.errors");
    if (reasons.empty()) reasons.emplace_back("it ended without success.");
    co_return failed_with(m, std::move(reasons), name);
  }
  show_blockers(m, *found);
  co_return wait_for({volume_migration_subject(m)}, kLook);
}

}  // namespace mtc::migrate
