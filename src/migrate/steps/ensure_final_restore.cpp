#include <set>

#include "api/names.hpp"
#include "api/volumes.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"
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

/// If a claim has another name on the destination: the names of all of them, so that a StatefulSet whose claims were
/// renamed in part is noticed. Empty if all keep theirs.
Json renamed_claims(const Migration& m) {
  Json names = Json::object();
  bool any = false;
  for (const auto& volume : api::carried_volumes(m.plan)) {
    names[volume.claim.str()] = volume.target.name;
    any = any || volume.claim.name != volume.target.name;
  }
  return any ? names : Json::object();
}

}  // namespace

Task<Outcome> ensure_final_restore(Migration& m) {
  Json labels = m.labels();
  labels[api::labels::kFinalRestore] = m.self.uid;
  Json spec = {{"backupName", m.velero_name("initial")}, {"restorePVs", true}};
  Json mapping = Json::object();
  for (const auto& ns : m.plan.namespaces) {
    if (ns.source != ns.destination) mapping[ns.source] = ns.destination;
  }
  if (!mapping.empty()) spec["namespaceMapping"] = mapping;
  if (auto excluded = incompatible(m.plan_object); !excluded.empty()) spec["excludedResources"] = excluded;
  Json annotations = {{api::annotations::kMigrationType, m.self.stage ? "stage" : "final"}};
  if (m.self.quiesce) annotations[api::annotations::kQuiescePods] = "true";
  if (const auto names = renamed_claims(m); !names.empty()) annotations[api::annotations::kClaimNames] = dump(names);
  const Json restore = {{"apiVersion", "velero.io/v1"},
                        {"kind", "Restore"},
                        {"metadata",
                         {{"namespace", api::kNamespace},
                          {"name", m.velero_name("final")},
                          {"labels", labels},
                          {"annotations", annotations}}},
                        {"spec", spec},
                        {"status", taken_in_hand()}};
  co_await kube::ensure(*m.destination, kube::types::restores(), restore);
  co_return done();
}

}  // namespace mtc::migrate
