#include "migrate/swap.hpp"

#include <algorithm>
#include <array>

#include "api/names.hpp"
#include "api/volumes.hpp"
#include "plan/claim_users.hpp"

namespace mtc::migrate {
namespace {

namespace note = api::annotations;
constexpr auto kTemplates = "spec.volumeClaimTemplates";

/// A machine that made its disk from a DataVolume mounts that disk's successor as the claim that it is.
bool rename_in_machine(Json& machine, const std::string& ns, const backup::ClaimNames& names) {
  auto volumes = array_at(machine, "spec.template.spec.volumes");
  bool changed = false;
  for (auto& volume : volumes) {
    const auto made = string_at(volume, "dataVolume.name");
    const auto claim = made.empty() ? string_at(volume, "persistentVolumeClaim.claimName") : made;
    const auto at = names.find(api::Ref{ns, claim}.str());
    if (claim.empty() || at == names.end()) continue;
    volume.erase("dataVolume");
    volume["persistentVolumeClaim"]["claimName"] = at->second;
    changed = true;
    if (made.empty() || array_at(machine, "spec.dataVolumeTemplates").empty()) continue;
    auto& templates = machine["spec"]["dataVolumeTemplates"];
    for (auto each = templates.begin(); each != templates.end();)
      each = string_at(*each, "metadata.name") == made ? templates.erase(each) : std::next(each);
  }
  if (changed) set_at(machine, "spec.template.spec.volumes", std::move(volumes));
  return changed;
}

std::vector<std::string> template_names(const Json& set) {
  std::vector<std::string> out;
  for (const auto& each : array_at(set, kTemplates)) out.push_back(string_at(each, "metadata.name"));
  return out;
}

/// The storage class and access modes that the set's claims have got, so that those which it makes later are like them.
void shape_template(Json& claim_template, const kube::ObjectKey& set, const Swap& swap) {
  const auto name = string_at(claim_template, "metadata.name");
  for (const auto& [claim, shape] : swap.shapes) {
    if (claim.ns != set.ns || plan::ordinal_of(claim.name, name, set.name).empty()) continue;
    claim_template["spec"]["storageClassName"] = shape.storage_class;
    claim_template["spec"]["accessModes"] = shape.access_modes;
    return;
  }
}

/// Forth: the templates as they were stand in an annotation. Back: those of them whose names came back are as they
/// were.
void shape_templates(Json& set, const Json& before, const Swap& swap) {
  const auto key = kube::key_of(set);
  if (!swap.back) {
    for (auto& each : set["spec"]["volumeClaimTemplates"]) shape_template(each, key, swap);
    set["metadata"]["annotations"][note::kFormerTemplates] = dump(array_at(before, kTemplates));
    return;
  }
  const auto text = kube::annotation(set, note::kFormerTemplates);
  if (text.empty()) return;
  for (const auto& former : parse_json(text)) {
    for (auto& each : set["spec"]["volumeClaimTemplates"]) {
      if (string_at(each, "metadata.name") == string_at(former, "metadata.name")) each = former;
    }
  }
  set["metadata"]["annotations"].erase(note::kFormerTemplates);
}

/// Pods of a Job that is made anew are told apart by what the server gives it.
void forget_identity(Json& job) {
  static constexpr std::array kGiven = {"controller-uid", "job-name", "batch.kubernetes.io/controller-uid",
                                        "batch.kubernetes.io/job-name"};
  job["spec"].erase("selector");
  job["spec"].erase("manualSelector");
  for (const auto* path : {"metadata.labels", "spec.template.metadata.labels"}) {
    auto labels = object_at(job, path);
    for (const auto* key : kGiven) labels.erase(key);
    set_at(job, path, std::move(labels));
  }
}

}  // namespace

Swap swap_of(const Migration& m, bool back) {
  Swap out{.back = back, .plan_uid = m.plan.uid};
  for (const auto& volume : api::volumes_of(m.plan)) {
    if (volume.action == api::VolumeAction::kSkip || volume.claim == volume.target) continue;
    const auto& from = back ? volume.target : volume.claim;
    const auto& to = back ? volume.claim : volume.target;
    out.names[from.str()] = to.name;
    out.from.insert({from.ns, from.name});
    out.to.insert({to.ns, to.name});
    if (!back) out.shapes[{to.ns, to.name}] = {volume.storage_class, volume.access_modes()};
  }
  return out;
}

Change swap_claims(Json& workload, const kube::ResourceType& type, const Swap& swap) {
  const auto before = workload;
  const auto key = kube::key_of(workload);
  if (type.plural == "virtualmachines")
    return rename_in_machine(workload, key.ns, swap.names) ? Change::kInPlace : Change::kNone;
  const backup::ArchivedObject where{.group_resource = type.group_resource(), .ns = key.ns, .name = key.name};
  if (backup::rename_claims(where, workload, swap.names).empty()) return Change::kNone;
  if (type.plural == "jobs") {
    forget_identity(workload);
    return Change::kByReplacement;
  }
  if (template_names(workload) == template_names(before)) return Change::kInPlace;
  shape_templates(workload, before, swap);
  return Change::kByReplacement;
}

Json made_anew(Json workload) {
  auto& metadata = workload["metadata"];
  for (const auto* field : {"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
                            "deletionGracePeriodSeconds", "managedFields", "selfLink"})
    metadata.erase(field);
  workload.erase("status");
  return workload;
}

std::set<std::string> claims_named_in(const Json& workload, const kube::ResourceType& type) {
  std::set<std::string> out;
  const auto* path =
      type.plural == "cronjobs" ? "spec.jobTemplate.spec.template.spec.volumes" : "spec.template.spec.volumes";
  for (const auto& volume : array_at(workload, path)) {
    if (auto name = string_at(volume, "persistentVolumeClaim.claimName"); !name.empty()) out.insert(std::move(name));
  }
  for (auto& name : template_names(workload)) out.insert("template " + name);
  return out;
}

}  // namespace mtc::migrate
