#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {
namespace {

/// The location that the plan made, by its label.
Task<std::string> location_name(Migration& m, kube::ResourceType type) {
  const kube::ListOptions options{.label_selector = fmt::format("{}={}", api::labels::kPlan, m.plan.uid)};
  const auto found = co_await kube::list_all(*m.source, type, api::kNamespace, options);
  co_return found.empty() ? "" : kube::key_of(found.front()).name;
}

Task<Json> excluded_resources(Migration& m) {
  Json excluded = {"imagestreams", "persistentvolumes", "persistentvolumeclaims"};
  for (const auto& name : strings_at(m.plan_object, "status.excludedResources")) {
    if (std::find(excluded.begin(), excluded.end(), name) == excluded.end()) excluded.push_back(name);
  }
  co_return excluded;
}

/// Group and kind of spec.includedResources as resource names.
Task<Json> included_resources(Migration& m) {
  Json included = Json::array();
  const auto discovery = co_await m.source->discovery();
  for (const auto& entry : m.plan.included_resources) {
    const auto* found = discovery->find_kind(string_at(entry, "group"), string_at(entry, "kind"));
    if (found != nullptr) included.push_back(found->type.group_resource());
  }
  co_return included;
}

}  // namespace

Task<Outcome> ensure_initial_backup(Migration& m) {
  const auto location = co_await location_name(m, kube::types::backup_storage_locations());
  if (location.empty()) {
    co_return fail("MigrationFailed", {fmt::format("The source cluster has no BackupStorageLocation of MigPlan {}: set "
                                                   "spec.refresh on the plan and try again.",
                                                   m.plan.self.str())});
  }
  Json labels = m.labels();
  labels[api::labels::kInitialBackup] = m.self.uid;
  Json spec = {{"includedNamespaces", m.source_namespaces()},
               {"excludedResources", co_await excluded_resources(m)},
               {"storageLocation", location},
               {"volumeSnapshotLocations", {co_await location_name(m, kube::types::volume_snapshot_locations())}},
               {"ttl", "720h0m0s"},
               {"hooks", Json::object()}};
  if (!m.plan.label_selector.is_null()) spec["labelSelector"] = m.plan.label_selector;
  if (auto included = co_await included_resources(m); !included.empty()) spec["includedResources"] = included;
  const Json backup = {{"apiVersion", "velero.io/v1"},
                       {"kind", "Backup"},
                       {"metadata",
                        {{"namespace", api::kNamespace},
                         {"name", m.velero_name("initial")},
                         {"labels", labels},
                         {"annotations", {{api::annotations::kMigrationType, m.self.stage ? "stage" : "final"}}}}},
                       {"spec", spec},
                       {"status", taken_in_hand()}};
  co_await kube::ensure(*m.source, kube::types::backups(), backup);
  co_return done();
}

}  // namespace mtc::migrate
