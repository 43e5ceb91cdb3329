#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "api/volumes.hpp"
#include "base/strings.hpp"
#include "plan/checks.hpp"
#include "plan/listing.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;
using api::PlanVolume;
using api::VolumeAction;

class TargetCheck {
 public:
  TargetCheck(std::vector<PlanVolume> volumes, std::string plan_uid, PlanWorld* world, api::Conditions* conditions)
      : volumes_(std::move(volumes)), plan_uid_(std::move(plan_uid)), world_(world), conditions_(conditions) {}

  void run() {
    check_names();
    check_sets();
    check_claims_there();
    // What a conversion skips stays where it is, and in use.
    if (!world_->is_conversion) check_skipped();
  }

 private:
  const FoundVolume& found(const PlanVolume& volume) const { return world_->volumes.by_name.at(volume.pv); }

  /// Two claims with one name would be one claim, with the data of whichever is copied last.
  void check_names() {
    std::map<api::Ref, int> uses;
    for (const auto& volume : volumes_) ++uses[volume.target];
    std::vector<std::string> names;
    for (const auto& [target, count] : uses) {
      if (count > 1) names.push_back(target.str());
    }
    set_listing(
        *conditions_, "PvNameConflict", kError, "DuplicateNames", std::move(names),
        "Several volumes in `persistentVolumes` are mapped to claims [] of the destination: give each claim a name of "
        "its own in `pvc.name` (name:new-name).");
  }

  /// A StatefulSet finds its claims by their names, and makes empty ones where it finds none.
  void check_sets() {
    using Template = std::pair<api::Ref, std::string>;  // the set, and the name of the template in it
    std::map<Template, std::set<std::string>> renamed_to;
    std::map<Template, std::vector<std::string>> claims;
    for (const auto& volume : volumes_) {
      const auto& of_set = found(volume).of_set;
      const bool skipped = volume.action == VolumeAction::kSkip;
      if (!of_set || (skipped && !world_->is_conversion)) continue;
      const Template key{{volume.claim.ns, of_set->set}, of_set->claim_template};
      const auto ending = fmt::format("-{}-{}", of_set->set, of_set->ordinal);
      // A converted set looks for all of its claims under the new name, also for one that was skipped.
      const auto& name = skipped ? volume.claim.name : volume.target.name;
      renamed_to[key].insert(name.ends_with(ending) ? name.substr(0, name.size() - ending.size()) : "");
      claims[key].push_back(volume.claim.str());
    }
    std::vector<std::string> lost;
    for (const auto& [key, names] : renamed_to) {
      if (names.size() > 1 || names.contains("")) lost.insert(lost.end(), claims[key].begin(), claims[key].end());
    }
    set_listing(
        *conditions_, "PvSetNameInvalid", kError, "NotSupported", std::move(lost),
        "Claims [] belong to StatefulSets, which look for claims of the name template-set-number and would not find "
        "them under their new names: rename all claims of one template alike, and only the part before -set-number; "
        "within one cluster and namespace, copy or skip all of them.");
  }

  /// A claim that this plan made is taken up again: a stage comes before the cutover.
  void check_claims_there() {
    std::vector<std::string> themselves, in_the_way, other_way;
    const auto& claims = world_->target_claims;
    for (const auto& volume : volumes_) {
      const auto there = claims.find(volume.target);
      if (volume.action == VolumeAction::kSkip || there == claims.end()) continue;
      if (there->second.uid == found(volume).claim_uid) {
        themselves.push_back(volume.claim.str());
      } else if (there->second.made_by != plan_uid_) {
        in_the_way.push_back(volume.target.str());
      } else if ((there->second.moved_by == plan_uid_) != (volume.action == VolumeAction::kMove)) {
        other_way.push_back(volume.target.str());
      }
    }
    set_listing(
        *conditions_, "PvTargetExists", kError, "OtherAction", std::move(other_way),
        "Claims [] of the destination were made by this plan for the other action (copy or move), and files are "
        "never copied into a volume that was moved: select the former action; after a rollback you are free to "
        "choose.");
    set_listing(*conditions_, "PvNameConflict", kError, "SameClaim", std::move(themselves),
                world_->is_conversion
                    ? "Claims [] are mapped to themselves: give the new ones other names in `pvc.name` (name:new-name)."
                    : "Source and destination are the same cluster, and claims [] are mapped to themselves: map their "
                      "namespaces to others (source:destination).");
    if (in_the_way.empty()) return;
    std::set<std::string> namespaces;
    for (const auto& volume : volumes_) namespaces.insert(volume.target.ns);
    for (const auto& ns : namespaces)
      world_->awaited.push_back({world_->destination_client, kube::types::persistent_volume_claims(), ns});
    set_listing(
        *conditions_, "PvTargetExists", kError, "AlreadyExists", std::move(in_the_way),
        "Claims [] exist on the destination and were not made by this plan, so what they hold is not overwritten: "
        "delete them there, give the claims other names in `pvc.name` (name:new-name), or select the action skip.");
  }

  void check_skipped() {
    std::vector<std::string> skipped, forced;
    for (const auto& volume : volumes_) {
      if (volume.action != VolumeAction::kSkip || world_->target_claims.contains(volume.target)) continue;
      skipped.push_back(volume.claim.str());
      if (found(volume).actions.size() == 1) forced.push_back(volume.claim.str());
    }
    std::string message =
        "Claims [] are skipped (`selection.action`): neither they nor their data will be on the destination, and pods "
        "that use them will wait there until somebody makes them.";
    if (!forced.empty()) {
      message += fmt::format(
          " Of these, [{}] can only be skipped: their volumes are directories (hostPath) of a node "
          "that they do not name.",
          join(forced, ","));
    }
    set_listing(*conditions_, "PvSkipped", kWarn, "Skipped", std::move(skipped), std::move(message));
  }

  std::vector<PlanVolume> volumes_;
  std::string plan_uid_;
  PlanWorld* world_;
  api::Conditions* conditions_;
};

}  // namespace

void check_volume_targets(std::vector<PlanVolume> volumes, std::string plan_uid, PlanWorld* world,
                          api::Conditions* conditions) {
  TargetCheck check(std::move(volumes), std::move(plan_uid), world, conditions);
  check.run();
}

}  // namespace mtc::plan
