#include "cli/kinds.hpp"

#include <algorithm>

#include "api/condition.hpp"
#include "api/names.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "plan/types.hpp"

namespace mtc::cli {
namespace {

std::string ready(const Json& object) { return api::has_condition(object, "Ready") ? "True" : "False"; }

std::string name_of(const Json& object) { return kube::key_of(object).name; }

/// What keeps it from being ready, in short.
std::string trouble(const Json& object) {
  std::vector<std::string> types;
  for (const auto& condition : array_at(object, "status.conditions")) {
    const auto category = string_at(condition, "category");
    if ((category == "Critical" || category == "Error") && string_at(condition, "status") == "True")
      types.push_back(string_at(condition, "type"));
  }
  return join(types, ",");
}

std::vector<std::string> cluster_cells(const Json& o) {
  return {name_of(o), ready(o), bool_at(o, "spec.isHostCluster") ? "(host)" : string_at(o, "spec.url"), trouble(o)};
}
std::vector<std::string> storage_cells(const Json& o) {
  return {name_of(o), ready(o), string_at(o, "spec.backupStorageProvider"),
          string_at(o, "spec.backupStorageConfig.awsBucketName"), trouble(o)};
}
std::vector<std::string> plan_cells(const Json& o) {
  return {name_of(o),
          ready(o),
          string_at(o, "spec.srcMigClusterRef.name"),
          string_at(o, "spec.destMigClusterRef.name"),
          join(strings_at(o, "spec.namespaces"), ","),
          trouble(o)};
}

std::string result_of(const Json& migration) {
  for (const auto* type : {"Failed", "Canceled", "Succeeded", "SucceededWithWarnings", "Running"}) {
    if (api::has_condition(migration, type)) return type;
  }
  return trouble(migration);
}
std::vector<std::string> migration_cells(const Json& o) {
  return {name_of(o), string_at(o, "spec.migPlanRef.name"), string_at(o, "status.itinerary"),
          string_at(o, "status.phase"), result_of(o)};
}

}  // namespace

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"cluster", plan::types::mig_clusters(), {"NAME", "READY", "URL", "TROUBLE"}, cluster_cells},
      {"storage", plan::types::mig_storages(), {"NAME", "READY", "PROVIDER", "BUCKET", "TROUBLE"}, storage_cells},
      {"plan", plan::types::mig_plans(), {"NAME", "READY", "SOURCE", "TARGET", "NAMESPACES", "TROUBLE"}, plan_cells},
      {"migration", plan::types::mig_migrations(), {"NAME", "PLAN", "ITINERARY", "PHASE", "RESULT"}, migration_cells}};
  return all;
}

const Kind& kind_of(const std::string& word) {
  const auto at = std::ranges::find(kinds(), word, &Kind::word);
  if (at == kinds().end()) throw Error(Code::kInternal, "no kind " + word);
  return *at;
}

bool is_over(const Json& migration) { return string_at(migration, "status.phase") == "Completed"; }

bool is_blocked(const Json& migration) {
  return std::ranges::any_of(array_at(migration, "status.conditions"), [](const Json& condition) {
    return string_at(condition, "category") == "Critical" && string_at(condition, "status") == "True" &&
           string_at(condition, "type") != "Postponed";
  });
}

}  // namespace mtc::cli
