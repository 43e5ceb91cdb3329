#include "plan/migration_type.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/volumes.hpp"
#include "base/error.hpp"
#include "http/url.hpp"

namespace mtc::plan {
namespace {

/// Host and port of a remote cluster's URL; nullopt for the host cluster and for what is no URL.
std::optional<std::string> host_of(const api::MigCluster& cluster) {
  if (cluster.is_host || cluster.url.empty()) return std::nullopt;
  try {
    const auto url = http::Url::parse(cluster.url);
    return fmt::format("{}:{}", url.host, url.port);
  } catch (const Error&) {  // its MigCluster says InvalidURL
    return std::nullopt;
  }
}

bool renames_claims(const api::MigPlan& plan) {
  return std::ranges::any_of(plan.persistent_volumes, [](const Json& entry) {
    const auto claim = api::parse_claim(string_at(entry, "pvc.name"));
    return claim.source != claim.target;
  });
}

void identified(api::Conditions* conditions, std::string reason, std::string message, bool durable) {
  conditions->set({.type = "MigrationTypeIdentified",
                   .category = api::Category::kAdvisory,
                   .reason = std::move(reason),
                   .message = std::move(message),
                   .durable = durable});
}

}  // namespace

bool are_one_cluster(const api::MigCluster& source, const api::MigCluster& destination) {
  if (source.self == destination.self || (source.is_host && destination.is_host)) return true;
  const auto here = host_of(source), there = host_of(destination);
  return here && here == there;
}

bool keeps_namespaces(const api::MigPlan& plan) {
  return std::ranges::all_of(plan.namespaces, [](const auto& ns) { return ns.source == ns.destination; });
}

bool is_conversion(const api::MigPlan& plan, bool within_one_cluster) {
  return within_one_cluster && !plan.indirect_volumes && !plan.namespaces.empty() && keeps_namespaces(plan);
}

void identify_type(const api::MigPlan& plan, const PlanWorld& world, const std::vector<Json>& newest_first,
                   api::Conditions* conditions) {
  const bool rolled_back = !newest_first.empty() && bool_at(newest_first.front(), "spec.rollback") &&
                           api::has_condition(newest_first.front(), "Succeeded");
  if (rolled_back) conditions->remove("MigrationTypeIdentified");
  const bool was_used = !newest_first.empty() && !rolled_back;
  const bool moved_state = was_used && std::ranges::any_of(newest_first, [](const Json& migration) {
                             return bool_at(migration, "spec.migrateState");
                           });
  const bool is_indirect = plan.indirect_images || plan.indirect_volumes;
  const bool all_mapped =
      std::ranges::none_of(plan.namespaces, [](const auto& ns) { return ns.source == ns.destination; });
  if (world.is_conversion) {
    identified(conditions, "StorageConversionPlan",
               "This plan converts storage classes: its migrations are run with `migrateState`, and with `quiescePods` "
               "workloads use the new claims afterwards.",
               moved_state);
  } else if (is_indirect && !was_used) {
    identified(conditions, "NamespaceMigrationPlan", "This plan migrates namespaces.", false);
  } else if (!is_indirect && moved_state) {
    identified(conditions, "StateMigrationPlan",
               "This migration plan was previously used for migrating state. Other migrations are possible only after "
               "a successful rollback is performed.",
               true);
  } else if (!is_indirect && ((world.is_one_cluster && all_mapped) || renames_claims(plan))) {
    identified(conditions, "StateMigrationPlan", "This plan migrates the state of applications under other names.",
               false);
  } else if (was_used) {
    identified(conditions, "NamespaceMigrationPlan",
               "This migration plan was previously used for migrating namespaces. This plan can only be used for "
               "further Stage/Final Migration. Other migrations are possible only after a successful rollback is "
               "performed.",
               true);
  }
}

}  // namespace mtc::plan
