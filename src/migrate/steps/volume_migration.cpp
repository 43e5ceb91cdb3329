#include "migrate/steps/volume_migration.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "api/volume_migration.hpp"
#include "api/volumes.hpp"
#include "migrate/volumes/mover_report.hpp"
#include "plan/claim_size.hpp"
#include "plan/types.hpp"

namespace mtc::migrate {
namespace {

Json reference(const api::Ref& ref) { return {{"namespace", ref.ns}, {"name", ref.name}}; }

Json claim_of(const plan::Settings& settings, const api::PlanVolume& volume) {
  Json claim = {{"namespace", volume.claim.ns},
                {"name", volume.claim.name},
                {"targetNamespace", volume.target.ns},
                {"targetName", volume.target.name},
                {"targetStorageClass", volume.storage_class},
                {"targetAccessModes", volume.access_modes()},
                {"targetVolumeMode", api::to_string(volume.mode)}};
  if (const auto capacity = plan::wanted_capacity(settings, volume); !capacity.empty())
    claim["targetCapacity"] = capacity;
  if (volume.verify) claim["verify"] = true;
  return claim;
}

/// Attempts by claim, "ns/name".
std::map<std::string, std::int64_t> attempts_at(const Json& volume_migration) {
  std::map<std::string, std::int64_t> out;
  for (const auto& operation : array_at(volume_migration, "status.rsyncOperations"))
    out[api::parse_ref(operation, "pvcReference").str()] = int_at(operation, "currentAttempt").value_or(0);
  return out;
}

std::string line_of(const Json& pod, std::string_view state, std::int64_t attempt, std::int64_t attempts) {
  const auto claim = string_at(pod, "pvcRef.name");
  const auto name = fmt::format("{}/{}", string_at(pod, "namespace"), string_at(pod, "name"));
  auto line =
      claim.empty() ? fmt::format("Rsync Pod {}: {}", name, state) : fmt::format("[{}] {}: {}", claim, name, state);
  if (attempt > 1) line += fmt::format(" - Attempt {} of {}", attempt, attempts);
  if (const auto percent = string_at(pod, "lastObservedProgressPercent"); !percent.empty()) line += " " + percent;
  if (const auto rate = string_at(pod, "lastObservedTransferRate"); !rate.empty())
    line += fmt::format(" (Transfer rate {})", rate);
  if (const auto elapsed = parse_go_duration(string_at(pod, "totalElapsedTime")))
    line += fmt::format(" ({})", go_seconds(*elapsed));
  if (string_at(pod, "way") == volumes::kByRelay) line += " (through the API servers)";
  return line;
}

}  // namespace

std::string volume_migration_name(const Migration& m) {
  return fmt::format("{}-{}", m.self.self.name.substr(0, 240), m.self.uid.substr(0, 5));
}

Json volume_migration_of(const Migration& m) {
  auto labels = m.labels();
  labels[api::labels::kDirectVolume] = m.self.uid;
  const Json owner = {{"apiVersion", api::kApiVersion},
                      {"kind", api::kMigMigration},
                      {"name", m.self.self.name},
                      {"uid", m.self.uid},
                      {"controller", true},
                      {"blockOwnerDeletion", true}};
  Json claims = Json::array();
  for (const auto& volume : api::directly_copied(m.plan)) claims.push_back(claim_of(m.settings, volume));
  const auto type = m.self.quiesce ? api::CopyType::kCutOver : api::CopyType::kStage;
  Json spec = {{"srcMigClusterRef", reference(m.plan.source)},
               {"destMigClusterRef", reference(m.plan.destination)},
               {"createDestinationNamespaces", true},
               {"migrationType", api::to_string(type)},
               {"persistentVolumeClaims", std::move(claims)}};
  return {{"apiVersion", api::kApiVersion},
          {"kind", api::kDirectVolumeMigration},
          {"metadata",
           {{"namespace", api::kNamespace},
            {"name", volume_migration_name(m)},
            {"labels", std::move(labels)},
            {"ownerReferences", Json::array({owner})}}},
          {"spec", std::move(spec)}};
}

Task<std::optional<Json>> find_volume_migration(Migration& m) {
  const kube::ListOptions mine{.label_selector = volume_migration_subject(m).label_selector};
  auto found = co_await kube::list_all(*m.host, plan::types::direct_volume_migrations(), api::kNamespace, mine);
  if (found.empty()) co_return std::nullopt;
  co_return std::move(found.front());
}

Subject volume_migration_subject(const Migration& m) {
  return {m.host, plan::types::direct_volume_migrations(), api::kNamespace,
          fmt::format("{}={}", api::labels::kDirectVolume, m.self.uid)};
}

std::vector<std::string> volume_lines(const Json& volume_migration, std::int64_t attempts) {
  using Row = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Row, 5> kLists = {{{"successfulPods", "Completed"},
                                                 {"runningPods", "Running"},
                                                 {"failedPods", "Failed"},
                                                 {"pendingPods", "Pending"},
                                                 {"unknownPods", "Pending"}}};
  const auto attempt_of = attempts_at(volume_migration);
  const auto& status = object_at(volume_migration, "status");
  std::vector<std::string> lines;
  for (const auto& [list, state] : kLists) {
    for (const auto& pod : array_at(status, list)) {
      const auto at = attempt_of.find(api::parse_ref(pod, "pvcRef").str());
      lines.push_back(line_of(pod, state, at == attempt_of.end() ? 0 : at->second, attempts));
    }
  }
  lines.push_back(fmt::format("{} total volumes; {} successful; {} running; {} failed",
                              array_at(volume_migration, "spec.persistentVolumeClaims").size(),
                              array_at(status, "successfulPods").size(), array_at(status, "runningPods").size(),
                              array_at(status, "failedPods").size()));
  std::ranges::sort(lines);
  return lines;
}

}  // namespace mtc::migrate
