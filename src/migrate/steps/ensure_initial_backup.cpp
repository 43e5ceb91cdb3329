#include <algorithm>

#include <fmt/format.h>

#include "api/names.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_manifests.hpp"

namespace mtc::migrate {
namespace {

Json excluded_resources(const Migration& m) {
  Json excluded = {"imagestreams", "persistentvolumes", "persistentvolumeclaims"};
  for (const auto& name : strings_at(m.plan_object, "status.excludedResources")) {
    if (std::find(excluded.begin(), excluded.end(), name) == excluded.end()) excluded.push_back(name);
  }
  return excluded;
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
  if (location.empty()) co_return no_location(m);
  auto spec = backup_spec(m, location, co_await location_name(m, kube::types::volume_snapshot_locations()));
  spec["excludedResources"] = excluded_resources(m);
  if (!m.plan.label_selector.is_null()) spec["labelSelector"] = m.plan.label_selector;
  if (auto included = co_await included_resources(m); !included.empty()) spec["includedResources"] = included;
  co_await kube::ensure(*m.source, kube::types::backups(),
                        velero_object(m, kube::types::backups(), "initial", api::labels::kInitialBackup, Json::object(),
                                      std::move(spec)));
  co_return done();
}

}  // namespace mtc::migrate
