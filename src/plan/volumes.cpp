#include "plan/volumes.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "plan/claim_size.hpp"
#include "plan/converted_names.hpp"
#include "plan/snapshot_classes.hpp"

namespace mtc::plan {
namespace {

/// Claims that come and go with what owns them: of a pod's ephemeral volume, of a populator at work, and those that a
/// migration makes of snapshots.
bool is_temporary(const Json& claim) {
  const bool is_of_migration = !kube::label(claim, api::labels::kCreatedForClaim).empty();
  if (is_of_migration && string_at(claim, "spec.dataSource.kind") == "VolumeSnapshot") return true;
  return std::ranges::any_of(array_at(claim, "metadata.ownerReferences"), [](const Json& owner) {
    const auto kind = string_at(owner, "kind");
    return bool_at(owner, "controller") && (kind == "Pod" || kind == "PersistentVolumeClaim");
  });
}

kube::ObjectKey claim_of(const Json& volume) {
  return {string_at(volume, "spec.claimRef.namespace"), string_at(volume, "spec.claimRef.name")};
}

bool is_bound_to(const Json& volume, const Json& claim) {
  const auto uid = string_at(volume, "spec.claimRef.uid");
  return string_at(claim, "status.phase") == "Bound" && claim_of(volume) == kube::key_of(claim) &&
         (uid.empty() || uid == kube::uid_of(claim));
}

/// A directory of whichever node the pod happens to run on.
bool is_of_any_node(const Json& volume) {
  return find(volume, "spec.hostPath") != nullptr && find(volume, "spec.nodeAffinity.required") == nullptr;
}

Task<std::vector<Json>> volumes_bound_in(kube::ClientPtr source, std::vector<std::string> namespaces) {
  const std::set<std::string> wanted(namespaces.begin(), namespaces.end());
  std::vector<Json> out;
  kube::ListOptions options;
  do {
    auto page = co_await source->list(kube::types::persistent_volumes(), "", options);
    for (auto& volume : page.items) {
      if (string_at(volume, "status.phase") == "Bound" && wanted.contains(claim_of(volume).ns))
        out.push_back(std::move(volume));
    }
    options.continue_token = std::move(page.continue_token);
  } while (!options.continue_token.empty());
  co_return out;
}

/// An account that may not see the nodes cannot tell, and then the answer is no.
Task<bool> has_one_node(kube::ClientPtr cluster) {
  try {
    const kube::ListOptions two{.limit = 2};
    const auto page = co_await cluster->list(kube::types::nodes(), "", two);
    co_return page.items.size() == 1 && page.continue_token.empty();
  } catch (const Error& error) {
    if (error.code() != Code::kForbidden) throw;
  }
  co_return false;
}

std::vector<std::string> supported_actions(const Json& volume, const VolumeObjects& objects, const Settings& settings) {
  if (is_of_any_node(volume) && !objects.one_node) return {"skip"};
  const auto is_moved = std::ranges::find(settings.moved_classes, class_of(volume)) != settings.moved_classes.end();
  if (is_moved || find(volume, "spec.nfs") != nullptr || find(volume, "spec.awsElasticBlockStore") != nullptr)
    return {"skip", "copy", "move"};
  return {"skip", "copy"};
}

class Finder {
 public:
  Finder(const VolumeObjects& objects, const Json& known, const Settings& settings,
         const std::optional<Conversion>& conversion)
      : objects_(objects), settings_(settings), conversion_(conversion), users_(objects.users) {
    if (conversion_) names_.emplace(conversion_->suffix);
    for (const auto& entry : known) known_.try_emplace(string_at(entry, "name"), &entry);
    for (const auto& volume : objects.volumes) volumes_[kube::key_of(volume).name] = &volume;
  }

  FoundVolumes run() {
    for (const auto& claim : objects_.claims) {
      if (is_temporary(claim) || is_of_a_conversion(claim)) continue;
      const auto volume = volumes_.find(string_at(claim, "spec.volumeName"));
      if (volume == volumes_.end() || !is_bound_to(*volume->second, claim)) {
        out_.unbound.push_back(kube::key_of(claim).str());
      } else {
        add(*volume->second, claim);
      }
    }
    for (auto& [name, entry] : entries_) out_.entries.push_back(std::move(entry));
    return std::move(out_);
  }

 private:
  /// Where storage classes are converted: a claim that this plan made, or that another plan has replaced.
  bool is_of_a_conversion(const Json& claim) const {
    if (!conversion_) return false;
    const auto replaced_by = kube::label(claim, api::labels::kConvertedBy);
    return kube::label(claim, api::labels::kMigratedByPlan) == conversion_->plan_uid ||
           (!replaced_by.empty() && replaced_by != conversion_->plan_uid);
  }

  void add(const Json& volume, const Json& claim) {
    const auto name = kube::key_of(volume).name;
    const auto at = known_.find(name);
    const Json* known = at == known_.end() ? nullptr : at->second;
    const auto choice = default_class(volume, claim, objects_.source_classes, objects_.destination_classes);
    FoundVolume found{.actions = supported_actions(volume, objects_, settings_),
                      .is_block = is_device(volume),
                      .lacks_ceph = choice.lacks_ceph,
                      .claim_uid = kube::uid_of(claim),
                      .request = target_request(claim, volume, ""),
                      .csi_driver = csi_driver_of(volume),
                      .of_set = users_.set_claim(kube::key_of(claim))};
    auto selection = known != nullptr ? object_at(*known, "selection") : first_selection(found, choice);
    if (found.actions.size() == 1) selection["action"] = found.actions.front();

    Json entry = {{"name", name},
                  {"capacity", quantity(object_at(volume, "spec.capacity"), "storage")},
                  {"supported", {{"actions", found.actions}, {"copyMethods", {"filesystem", "block", "snapshot"}}}},
                  {"selection", std::move(selection)},
                  {"pvc", described_claim(claim, known, found.of_set)},
                  {"proposedCapacity", known != nullptr ? quantity(*known, "proposedCapacity") : "0"}};
    if (const auto storage_class = class_of(volume); !storage_class.empty()) entry["storageClass"] = storage_class;
    if (known != nullptr && bool_at(*known, "capacityConfirmed")) entry["capacityConfirmed"] = true;
    entries_[name] = std::move(entry);
    out_.by_name[name] = std::move(found);
  }

  static Json first_selection(const FoundVolume& found, const ClassChoice& choice) {
    Json out = {{"action", "copy"}, {"copyMethod", found.is_block ? "block" : "filesystem"}};
    if (!choice.name.empty()) out["storageClass"] = choice.name;
    return out;
  }

  /// What a user chose for this claim stays; an entry that speaks of another claim says nothing of this one.
  Json described_claim(const Json& claim, const Json* known, const std::optional<SetClaim>& of_set) {
    const auto key = kube::key_of(claim);
    static const Json nothing = Json::object();
    const auto* stored = known == nullptr ? &nothing : &object_at(*known, "pvc");
    if (string_at(*stored, "namespace") != key.ns || api::parse_claim(string_at(*stored, "name")).source != key.name)
      stored = &nothing;
    const auto kept = [&](const char* field, Json fresh) {
      const auto* value = member(*stored, field);
      return value == nullptr || value->empty() || *value == "" ? fresh : *value;
    };
    auto name = kept("name", key.name);
    if (names_ && name == key.name) name = fmt::format("{}:{}", key.name, names_->name_for(key, of_set));
    Json out = {{"namespace", key.ns},
                {"name", std::move(name)},
                {"accessModes", kept("accessModes", array_at(claim, "spec.accessModes"))}};
    const auto mode = string_at(claim, "spec.volumeMode");
    out["volumeMode"] = kept("volumeMode", mode.empty() ? "Filesystem" : mode);
    if (const auto owner = users_.owner_type(key); !owner.empty()) {
      out["hasReference"] = true;
      out["ownerType"] = owner;
    }
    return out;
  }

  static Json quantity(const Json& object, const char* field) {
    const auto* value = member(object, field);
    return value == nullptr || value->is_null() ? Json("0") : *value;
  }

  const VolumeObjects& objects_;
  const Settings& settings_;
  const std::optional<Conversion>& conversion_;
  std::optional<ConvertedNames> names_;  ///< where storage classes are converted
  ClaimUsers users_;
  // All by name of the volume.
  std::map<std::string, const Json*> known_, volumes_;
  std::map<std::string, Json> entries_;
  FoundVolumes out_;
};

}  // namespace

Task<VolumeObjects> read_volumes(kube::ClientPtr source, kube::ClientPtr destination,
                                 std::vector<std::string> namespaces) {
  VolumeObjects out;
  out.source_classes = co_await storage_classes_of(source);
  out.destination_classes = co_await storage_classes_of(destination);
  for (const auto& ns : namespaces) {
    for (auto& claim : co_await kube::list_all(*source, kube::types::persistent_volume_claims(), ns))
      out.claims.push_back(std::move(claim));
  }
  if (out.claims.empty()) co_return out;
  out.volumes = co_await volumes_bound_in(source, namespaces);
  out.users = co_await read_workloads(source, namespaces);
  if (std::ranges::any_of(out.volumes, is_of_any_node)) out.one_node = co_await has_one_node(source);
  co_return out;
}

FoundVolumes find_volumes(const VolumeObjects& objects, const Json& known, const Settings& settings,
                          const std::optional<Conversion>& conversion) {
  return Finder(objects, known, settings, conversion).run();
}

}  // namespace mtc::plan
