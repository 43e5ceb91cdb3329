#include "migrate/indirect/staging.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "migrate/indirect/snapshots.hpp"
#include "plan/claim_size.hpp"

namespace mtc::migrate::indirect {
namespace {

constexpr auto kAppLabel = "app";
constexpr auto kApp = "pod-volume-mover";

std::string digits(const std::string& text) { return volumes::md5_hex(text).substr(0, 10); }

Task<void> remove_all(kube::ClientPtr cluster, kube::ResourceType type, std::string selector) {
  const kube::ListOptions ours{.label_selector = std::move(selector)};
  for (const auto& object : co_await kube::list_all(*cluster, type, api::kNamespace, ours))
    co_await cluster->remove(type, kube::key_of(object));
}

}  // namespace

std::vector<api::PlanVolume> staged_volumes(const Migration& m) {
  return api::volumes_enabled(m.plan_object) ? api::indirectly_copied(m.plan) : std::vector<api::PlanVolume>{};
}

bool may_have_movers(const Migration& m) {
  return m.flags.has_pvs && (m.flags.indirect_volume || !staged_volumes(m).empty());
}

bool may_have_marks(const Migration& m) {
  return m.flags.indirect_volume || !staged_volumes(m).empty() || !api::moved_volumes(m.plan).empty();
}

volumes::Destination destination_of(const Migration& m, std::string failed_phase) {
  volumes::Destination out{.source = m.source,
                           .destination = m.destination,
                           .claims = {},
                           .maker = {.plan_uid = m.plan.uid, .migration_uid = m.self.uid},
                           .waited = m.in_phase(),
                           .failed_phase = std::move(failed_phase)};
  for (const auto& volume : staged_volumes(m)) {
    out.claims.push_back({.source = volume.claim,
                          .target = volume.target,
                          .storage_class = volume.storage_class,
                          .access_modes = volume.access_modes(),
                          .capacity = plan::wanted_capacity(m.settings, volume),
                          .verify = volume.verify});
  }
  return out;
}

Json mover_labels(const Migration& m) {
  return {{api::labels::kPartOf, api::kNamespace},
          {kAppLabel, kApp},
          {api::labels::kMigration, m.self.uid},
          {api::labels::kMigratedByPlan, m.plan.uid}};
}

Json mover_labels(const Migration& m, const api::Ref& claim, std::int64_t attempt) {
  auto labels = mover_labels(m);
  labels[api::labels::kCreatedForClaim] = volumes::md5_hex(claim.name);
  labels[api::labels::kAttempt] = std::to_string(attempt);
  return labels;
}

std::string mover_name(const Migration& m, Side side, const api::Ref& claim, std::int64_t attempt) {
  const auto* what = side == Side::kSource ? "backup" : "restore";
  return fmt::format("restic-{}-{}-{}", what, digits(m.self.uid + "/" + claim.str()), attempt);
}

std::string secret_name(const Migration& m, Side side) {
  return fmt::format("restic-{}-{}", side == Side::kSource ? "backup" : "restore", digits(m.self.uid));
}

std::string pod_volume_name(const Json& parent, const api::PlanVolume& volume) {
  return fmt::format("{}-{}", kube::key_of(parent).name, digits(volume.claim.str()));
}

std::string helpers_of_migration(const Migration& m) {
  return fmt::format("{}={},{}={}", kAppLabel, kApp, api::labels::kMigration, m.self.uid);
}

std::string helpers_of_plan(const Migration& m) {
  return fmt::format("{}={},{}={}", kAppLabel, kApp, api::labels::kMigratedByPlan, m.plan.uid);
}

volumes::Places places_of(const Migration& m) {
  const auto sources = m.source_namespaces(), destinations = m.destination_namespaces();
  return {.source = m.source,
          .destination = m.destination,
          .source_namespaces = {sources.begin(), sources.end()},
          .destination_namespaces = {destinations.begin(), destinations.end()}};
}

volumes::Places places_of(const Migration& m, Side side) {
  auto places = places_of(m);
  (side == Side::kSource ? places.destination_namespaces : places.source_namespaces).clear();
  return places;
}

Task<std::vector<volumes::Helper>> helpers_at(const Migration& m, volumes::Places places, std::string selector) {
  auto out = co_await volumes::helpers_at(places, selector);
  std::ranges::move(co_await snapshots_at(m, places, selector), std::back_inserter(out));
  co_return out;
}

/// Pods first: a claim that one mounts stays.
Task<std::vector<volumes::Helper>> remove_helpers(Migration& m, volumes::Places places, std::string selector) {
  co_await volumes::remove(co_await volumes::helpers_at(places, selector));
  co_await remove_snapshots(co_await snapshots_at(m, places, selector));
  co_return co_await helpers_at(m, places, selector);
}

Task<std::vector<volumes::Helper>> remove_helpers(Migration& m, volumes::Places places) {
  return remove_helpers(m, std::move(places), m.self.rollback ? helpers_of_plan(m) : helpers_of_migration(m));
}

Task<void> remove_pod_volumes(Migration& m) {
  const auto ours = m.self.rollback ? fmt::format("{}={}", api::labels::kMigratedByPlan, m.plan.uid)
                                    : fmt::format("{}={}", api::labels::kMigratedByMigration, m.self.uid);
  co_await remove_all(m.source, kube::types::pod_volume_backups(), ours);
  co_await remove_all(m.destination, kube::types::pod_volume_restores(), ours);
}

}  // namespace mtc::migrate::indirect
