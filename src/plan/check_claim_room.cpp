#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "api/volumes.hpp"
#include "kube/quantity.hpp"
#include "plan/checks.hpp"
#include "plan/claim_size.hpp"
#include "plan/listing.hpp"
#include "plan/quotas.hpp"

namespace mtc::plan {
namespace {

using api::PlanVolume;
using api::VolumeAction;

/// Amounts by the names that ResourceQuotas have for them.
using Amounts = std::map<std::string, double>;

/// What a quota says of one of them: as the cluster last reckoned it.
std::string text_of(const Json& quota, const std::string& path, const std::string& resource) {
  const auto* value = member(object_at(quota, path), resource);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

/// Only claims with attributes of their own have a scope, and no migration makes such.
bool has_scope(const Json& quota) {
  return !array_at(quota, "spec.scopes").empty() || find(quota, "spec.scopeSelector") != nullptr;
}

class RoomCheck {
 public:
  RoomCheck(std::vector<PlanVolume> volumes, std::string plan_uid, PlanWorld* world, api::Conditions* conditions)
      : volumes_(std::move(volumes)), plan_uid_(std::move(plan_uid)), world_(*world), conditions_(*conditions) {}

  Task<void> run() {
    for (const auto& volume : volumes_) {
      if (volume.action != VolumeAction::kSkip) look_at(volume);
    }
    tell_small();
    for (const auto& [ns, needed] : needed_) co_await ask_quotas(ns, needed);
    set_listing(
        conditions_, "VolumesOverQuota", api::Category::kCritical, "QuotaExceeded", {over_.begin(), over_.end()},
        "The destination's quotas leave no room for the claims of the plan's volumes: []. Raise the quota, delete "
        "claims of its namespace that nobody needs, or select the action skip for volumes. A quota whose use shrinks, "
        "or that is raised, is seen by itself.");
  }

 private:
  std::string wanted(const PlanVolume& volume) const {
    return larger(world_.volumes.by_name.at(volume.pv).request, wanted_capacity(world_.settings, volume));
  }

  /// A claim that somebody else made is in the way, which others tell.
  void look_at(const PlanVolume& volume) {
    const auto at = world_.target_claims.find(volume.target);
    if (at == world_.target_claims.end()) {
      // The class of a volume that is moved is the source's.
      const auto& its_class = volume.action == VolumeAction::kMove ? volume.source_class : volume.storage_class;
      charge(volume.target.ns, its_class, kube::quantity(wanted(volume)), 1);
    } else if (at->second.made_by == plan_uid_ && volume.action == VolumeAction::kCopy) {
      look_at(volume, at->second);
    }
  }

  /// One that an earlier migration of this plan made: it grows if it can. Files may do with less than the source's
  /// claim asks for, unless somebody wants more.
  void look_at(const PlanVolume& volume, const TargetClaim& there) {
    const bool is_block = volume.mode == api::VolumeMode::kBlock;
    const auto room = is_block ? there.size : larger(there.size, there.request);
    const auto has = kube::quantity(room), wants = kube::quantity(wanted(volume));
    if (has >= wants) return;
    const auto* its_class = find_class(world_.destination_classes, there.storage_class);
    if (there.is_bound && its_class != nullptr && its_class->expands) {
      charge(volume.target.ns, there.storage_class, wants - kube::quantity(there.request), 0);
      world_.growing.insert(volume.target.ns);
      return;
    }
    if (!is_block && has >= kube::quantity(wanted_capacity(world_.settings, volume))) return;
    small_.push_back(fmt::format("{}: {} of {}", volume.target.str(), room, wanted(volume)));
    world_.awaited.push_back({world_.destination_client, kube::types::persistent_volume_claims(), volume.target.ns});
  }

  void charge(const std::string& ns, const std::string& its_class, double storage, double claims) {
    auto& needed = needed_[ns];
    needed["requests.storage"] += storage;
    needed["persistentvolumeclaims"] += claims;
    needed["count/persistentvolumeclaims"] += claims;
    if (its_class.empty()) return;
    needed[its_class + ".storageclass.storage.k8s.io/requests.storage"] += storage;
    needed[its_class + ".storageclass.storage.k8s.io/persistentvolumeclaims"] += claims;
  }

  void tell_small() {
    if (small_.empty()) return;
    world_.awaited.push_back({world_.destination_client, kube::types::storage_classes(), ""});
    set_listing(
        conditions_, "PvTargetTooSmall", api::Category::kError, "CannotGrow", std::move(small_),
        "Claims of the destination that an earlier migration of this plan made have less than is wanted for them now, "
        "and cannot grow: []. Their class does not say `allowVolumeExpansion: true`, or they have no volume yet. Roll "
        "back or delete them there, and they are made anew; or want no more than they have (`capacityConfirmed: "
        "false`; a device needs what the source's has).");
  }

  /// Quotas that come with the migration are none of these: the claims are there before the objects.
  Task<void> ask_quotas(std::string ns, Amounts needed) {
    const auto quotas = co_await quotas_of(world_.destination_client, ns);
    if (!quotas) co_return;  // nobody can say
    bool is_over = false;
    for (const auto& quota : *quotas) {
      if (has_scope(quota)) continue;
      for (const auto& [resource, amount] : needed) {
        auto hard = text_of(quota, "status.hard", resource);
        if (hard.empty()) hard = text_of(quota, "spec.hard", resource);
        auto used = text_of(quota, "status.used", resource);
        if (used.empty()) used = "0";
        if (hard.empty() || amount <= 0 || kube::quantity(used) + amount <= kube::quantity(hard)) continue;
        is_over = true;
        over_.insert(fmt::format("namespace {}, quota {}: {} more of {}, where {} of {} are used", ns,
                                 kube::key_of(quota).name, kube::to_quantity(amount), resource, used, hard));
      }
    }
    if (is_over) world_.awaited.push_back({world_.destination_client, resource_quotas(), ns});
  }

  std::vector<PlanVolume> volumes_;
  std::string plan_uid_;
  PlanWorld& world_;
  api::Conditions& conditions_;
  std::map<std::string, Amounts> needed_;  ///< by namespace of the destination
  std::vector<std::string> small_;
  std::set<std::string> over_;
};

}  // namespace

Task<void> check_claim_room(std::vector<PlanVolume> volumes, std::string plan_uid, PlanWorld* world,
                            api::Conditions* conditions) {
  RoomCheck check(std::move(volumes), std::move(plan_uid), world, conditions);
  co_await check.run();
}

}  // namespace mtc::plan
