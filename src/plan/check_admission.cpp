#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "api/names.hpp"
#include "api/volumes.hpp"
#include "plan/checks.hpp"
#include "plan/listing.hpp"
#include "plan/mover_admission.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::plan {
namespace {

using What = Admission::What;

/// A pod like those that a migration makes; it is never made itself.
Json example_pod(const std::string& ns, const std::string& claim, bool device, const std::string& image) {
  return pod_of({.ns = ns,
                 .name = "mtc-mover",
                 .image = image,
                 .claim = claim,
                 .secret = "mtc-mover",
                 .labels = {{api::labels::kPartOf, api::kNamespace}},
                 .args = {"mover"},
                 .device = device});
}

class AdmissionCheck {
 public:
  explicit AdmissionCheck(PlanWorld* world) : world_(*world) {}

  Task<void> run(std::vector<api::PlanVolume> volumes) {
    Claims sources, targets;
    for (const auto& volume : volumes) {
      const bool device = volume.mode == api::VolumeMode::kBlock;
      sources[volume.claim.ns][device] = volume.claim.name;
      targets[volume.target.ns][device] = volume.target.name;
    }
    co_await ask(world_.source_client, *world_.source, std::move(sources));
    co_await ask(world_.destination_client, *world_.destination, std::move(targets));
  }

  void tell(api::Conditions& conditions) {
    set_listing(
        conditions, "MoversForbidden", api::Category::kCritical, "NotAdmitted", {refused_.begin(), refused_.end()},
        "The pods that carry volumes are not let in: []. They run as root with six capabilities, as Pod Security "
        "baseline allows. Let such pods in there (label `pod-security.kubernetes.io/enforce: baseline` of the "
        "namespace, an exception of the policy, a security context constraint for the account), or select the action "
        "skip for the volumes.");
    set_listing(
        conditions, "MoversOverQuota", api::Category::kWarn, "QuotaExceeded", {over_quota_.begin(), over_quota_.end()},
        "The namespaces' quotas leave no room for the pods that carry volumes, each of which asks for 100m of cpu and "
        "128Mi of memory and is limited to 2 and 1Gi: []. A migration fails unless there is room by then.");
  }

 private:
  using Claims = std::map<std::string, std::map<bool, std::string>>;  ///< a claim for each namespace and kind of pod

  /// A namespace that is not there yet will have the labels of the source's, where the same is asked.
  Task<void> ask(kube::ClientPtr cluster, Json object, Claims claims) {
    const auto image = co_await mover_image(cluster);
    for (const auto& [ns, kinds] : claims) {
      const auto there = co_await cluster->get(kube::types::namespaces(), {"", ns});
      if (!there || kube::is_being_deleted(*there)) continue;
      for (const auto& [device, claim] : kinds) {
        const auto said = co_await ask_admission(cluster, example_pod(ns, claim, device, image));
        note(fmt::format("cluster {}, namespace {}: {}", kube::key_of(object).name, ns, said.words), said.what);
        if (said.what == What::kRefused) await(cluster);
      }
    }
  }

  void note(std::string text, What what) {
    if (what == What::kRefused) refused_.insert(std::move(text));
    if (what == What::kOverQuota) over_quota_.insert(std::move(text));
  }

  /// Its labels may be changed.
  void await(const kube::ClientPtr& cluster) { world_.awaited.push_back({cluster, kube::types::namespaces(), ""}); }

  PlanWorld& world_;
  std::set<std::string> refused_, over_quota_;
};

}  // namespace

Task<void> check_admission(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  auto volumes = api::carried_volumes(plan);
  if (volumes.empty()) co_return;
  AdmissionCheck check(world);
  co_await check.run(std::move(volumes));
  check.tell(*conditions);
}

}  // namespace mtc::plan
