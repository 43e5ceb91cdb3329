#include "migrate/steps/velero_manifests.hpp"

#include <set>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "json/json.hpp"
#include "migrate/steps/velero_objects.hpp"

namespace mtc::migrate {
namespace {

/// Kinds that the destination does not serve, as "resource.group".
Json incompatible(const Json& plan_object) {
  std::set<std::string> names;
  for (const auto& ns : array_at(plan_object, "status.incompatibleNamespaces")) {
    for (const auto& gvk : array_at(ns, "gvks")) {
      const auto group = string_at(gvk, "group");
      names.insert(string_at(gvk, "kind") + (group.empty() ? "" : "." + group));
    }
  }
  return Json(names);
}

}  // namespace

Task<std::string> location_name(Migration& m, kube::ResourceType type) {
  const kube::ListOptions options{.label_selector = fmt::format("{}={}", api::labels::kPlan, m.plan.uid)};
  const auto found = co_await kube::list_all(*m.source, type, api::kNamespace, options);
  co_return found.empty() ? "" : kube::key_of(found.front()).name;
}

Outcome no_location(const Migration& m) {
  return fail("MigrationFailed", {fmt::format("The source cluster has no BackupStorageLocation of MigPlan {}: set "
                                              "spec.refresh on the plan and try again.",
                                              m.plan.self.str())});
}

Json velero_object(const Migration& m, const kube::ResourceType& type, std::string_view what, const char* label,
                   Json annotations, Json spec) {
  auto labels = m.labels();
  labels[label] = m.self.uid;
  annotations[api::annotations::kMigrationType] = m.self.stage ? "stage" : "final";
  return {{"apiVersion", "velero.io/v1"},
          {"kind", type.kind},
          {"metadata",
           {{"namespace", api::kNamespace},
            {"name", m.velero_name(what)},
            {"labels", std::move(labels)},
            {"annotations", std::move(annotations)}}},
          {"spec", std::move(spec)},
          {"status", taken_in_hand()}};
}

Json backup_spec(const Migration& m, const std::string& location, const std::string& snapshot_location) {
  return {{"includedNamespaces", m.source_namespaces()},
          {"storageLocation", location},
          {"volumeSnapshotLocations", Json::array({snapshot_location})},
          {"ttl", "720h0m0s"},
          {"hooks", Json::object()}};
}

Json restore_spec(const Migration& m, const std::string& backup) {
  Json spec = {{"backupName", backup}, {"restorePVs", true}};
  Json mapping = Json::object();
  for (const auto& ns : m.plan.namespaces) {
    if (ns.source != ns.destination) mapping[ns.source] = ns.destination;
  }
  if (!mapping.empty()) spec["namespaceMapping"] = std::move(mapping);
  if (auto excluded = incompatible(m.plan_object); !excluded.empty()) spec["excludedResources"] = std::move(excluded);
  return spec;
}

Json velero_annotations(const Migration& m) {
  Json out = Json::object();
  if (m.self.quiesce) out[api::annotations::kQuiescePods] = "true";
  return out;
}

Task<void> replicate_backup(Migration& m, std::string_view what) {
  const auto backup =
      co_await kube::must_get(*m.source, kube::types::backups(), {api::kNamespace, m.velero_name(what)});
  const Json copy = {{"apiVersion", "velero.io/v1"},
                     {"kind", "Backup"},
                     {"metadata",
                      {{"namespace", api::kNamespace},
                       {"name", kube::key_of(backup).name},
                       {"labels", object_at(backup, "metadata.labels")},
                       {"annotations", object_at(backup, "metadata.annotations")}}},
                     {"spec", object_at(backup, "spec")},
                     {"status", object_at(backup, "status")}};
  co_await kube::ensure(*m.destination, kube::types::backups(), copy);
}

}  // namespace mtc::migrate
