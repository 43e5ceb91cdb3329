#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>

#include <fmt/format.h>

#include "api/names.hpp"
#include "api/volumes.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "json/selector.hpp"
#include "plan/checks.hpp"
#include "plan/listing.hpp"

namespace mtc::plan {
namespace {

using enum api::Category;
using api::PlanVolume;
using api::VolumeAction;

constexpr std::uint16_t kNfs = 2049;
const auto& kVolumes = kube::types::persistent_volumes();

bool holds(const Json& expressions, const Json& values) {
  const Json selector = {{"matchExpressions", expressions}};
  return Selector::from_json(selector).matches(values);
}

/// A term of a nodeAffinity; one that compares numbers is not judged.
bool fits(const Json& term, const Json& node) {
  const auto &labels = array_at(term, "matchExpressions"), &fields = array_at(term, "matchFields");
  if (labels.empty() && fields.empty()) return false;  // as the scheduler has it
  try {
    const Json name = {{"metadata.name", kube::key_of(node).name}};
    return holds(labels, object_at(node, "metadata.labels")) && holds(fields, name);
  } catch (const Error&) {
    return true;
  }
}

/// Whether some node may use the volume.
bool is_reachable(const Json& volume, const std::vector<Json>& nodes) {
  const auto* required = find(volume, "spec.nodeAffinity.required");
  if (required == nullptr) return true;
  return std::ranges::any_of(array_at(*required, "nodeSelectorTerms"), [&](const Json& term) {
    return std::ranges::any_of(nodes, [&](const Json& node) { return fits(term, node); });
  });
}

class MoveCheck {
 public:
  MoveCheck(std::string plan_uid, PlanWorld* world, api::Conditions* conditions)
      : plan_uid_(std::move(plan_uid)), world_(world), conditions_(conditions) {}

  Task<void> run(std::vector<PlanVolume> volumes) {
    std::erase_if(volumes, [](const PlanVolume& volume) { return volume.action != VolumeAction::kMove; });
    if (volumes.empty()) co_return;
    co_await read_nodes();
    for (const auto& volume : volumes) co_await look_at(volume);
    tell();
    co_await try_servers();
  }

 private:
  /// An account that may not see the nodes cannot tell, and pods will.
  Task<void> read_nodes() {
    try {
      nodes_ = co_await kube::list_all(*world_->destination_client, kube::types::nodes(), "");
    } catch (const Error& error) {
      if (error.code() != Code::kForbidden) throw;
      knows_nodes_ = false;
    }
  }

  Task<void> look_at(PlanVolume volume) {
    const auto source = co_await world_->source_client->get(kVolumes, {"", volume.pv});
    if (!source) co_return;  // discovery will notice
    const auto mover = kube::label(*source, api::labels::kMovedByPlan);
    if (!mover.empty() && mover != plan_uid_) elsewhere_.push_back(volume.pv);
    if (const auto server = string_at(*source, "spec.nfs.server"); !server.empty()) servers_.insert(server);
    if (knows_nodes_ && !is_reachable(*source, nodes_)) unreachable_.push_back(volume.pv);
    const auto there = co_await world_->destination_client->get(kVolumes, {"", volume.pv});
    if (there && kube::label(*there, api::labels::kMigratedByPlan) != plan_uid_) in_the_way_.push_back(volume.pv);
  }

  /// Only what runs in the destination can say something of it, and the controller does if that is its host.
  Task<void> try_servers() {
    if (!world_->destination || !api::MigCluster::parse(*world_->destination).is_host) co_return;
    std::vector<std::string> silent;
    std::vector<Task<void>> questions;
    questions.reserve(servers_.size());
    for (const auto& server : servers_) questions.push_back(try_server(world_->connector, server, &silent));
    co_await async::all(std::move(questions));
    if (silent.empty()) co_return;
    std::ranges::sort(silent);
    world_->look_again = std::chrono::minutes(1);
    set_listing(
        *conditions_, "NfsNotAccessible", kWarn, "", std::move(silent),
        "NFS servers [] of volumes that are to be moved do not answer the controller at port 2049. The nodes of "
        "the destination were not tried: if they do not reach them either, pods there will wait for the "
        "volumes; select the action copy then.");
  }

  static Task<void> try_server(net::ConnectorPtr connector, std::string server, std::vector<std::string>* silent) {
    try {
      co_await connector->connect({server, kNfs});
    } catch (const Error&) {
      silent->push_back(server);
    }
  }

  void tell() {
    if (!in_the_way_.empty()) world_->awaited.push_back({world_->destination_client, kVolumes, ""});
    if (!elsewhere_.empty()) world_->awaited.push_back({world_->source_client, kVolumes, ""});
    set_listing(*conditions_, "PvMoveTargetExists", kError, "AlreadyExists", std::move(in_the_way_),
                "Volumes [] that are to be moved exist on the destination and were not made by this plan: delete the "
                "PersistentVolumes there (what they name stays if their reclaim policy is Retain), or select the "
                "action copy.");
    set_listing(*conditions_, "PvMovedElsewhere", kError, "InUse", std::move(elsewhere_),
                fmt::format("Volumes [] were moved by another plan, and two clusters must not use one volume at once: "
                            "roll that plan back, or select the action skip. If nobody uses them there any more, take "
                            "the label {} off them.",
                            api::labels::kMovedByPlan));
    set_listing(*conditions_, "PvMoveNotReachable", kError, "NoNode", std::move(unreachable_),
                "Volumes [] are bound to nodes (`nodeAffinity`) that the destination does not have, so no pod there "
                "could use them: select the action copy.");
  }

  std::string plan_uid_;
  PlanWorld* world_;
  api::Conditions* conditions_;
  std::vector<Json> nodes_;
  bool knows_nodes_ = true;
  std::set<std::string> servers_;  ///< of NFS
  std::vector<std::string> in_the_way_, elsewhere_, unreachable_;
};

}  // namespace

Task<void> check_moved_volumes(std::vector<PlanVolume> volumes, std::string plan_uid, PlanWorld* world,
                               api::Conditions* conditions) {
  MoveCheck check(std::move(plan_uid), world, conditions);
  co_await check.run(std::move(volumes));
}

}  // namespace mtc::plan
