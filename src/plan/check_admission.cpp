#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/names.hpp"
#include "api/volumes.hpp"
#include "plan/checks.hpp"
#include "plan/listing.hpp"
#include "plan/mover_admission.hpp"
#include "plan/mover_pod.hpp"
#include "plan/mover_user.hpp"
#include "plan/quotas.hpp"

namespace mtc::plan {
namespace {

using What = Admission::What;

/// A pod like those that a migration makes; it is never made itself.
Mover example(const std::string& ns, const std::string& claim, const std::string& image) {
  return {.ns = ns,
          .name = "mtc-mover",
          .image = image,
          .claim = claim,
          .secret = "mtc-mover",
          .labels = {{api::labels::kPartOf, api::kNamespace}},
          .args = {"mover"}};
}

/// One side of a plan.
struct Half {
  kube::ClientPtr cluster;
  std::string name;  ///< of its MigCluster
  api::Ref api::PlanVolume::* claim;
  bool writes = false;
};

class AdmissionCheck {
 public:
  AdmissionCheck(PlanWorld* world, std::vector<api::PlanVolume> volumes)
      : world_(*world), volumes_(std::move(volumes)) {}

  Task<void> run() {
    co_await ask({world_.source_client, kube::key_of(*world_.source).name, &api::PlanVolume::claim});
    co_await ask({world_.destination_client, kube::key_of(*world_.destination).name, &api::PlanVolume::target, true});
  }

  void tell(api::Conditions& conditions) {
    set_listing(
        conditions, "MoversForbidden", api::Category::kCritical, "NotAdmitted", {refused_.begin(), refused_.end()},
        "The pods that carry volumes are not let in: []. They run as root with six capabilities, as Pod Security "
        "baseline allows, or, for files, as the user that a workload's pod template names for the container that "
        "mounts the claim (`runAsUser`). Name one there, let such pods in (label `pod-security.kubernetes.io/enforce: "
        "baseline` of the namespace, an exception of the policy, a security context constraint for the account), or "
        "select the action skip for the volumes.");
    set_listing(
        conditions, "MoversRestricted", api::Category::kWarn, "NotRoot", {restricted_.begin(), restricted_.end()},
        "In [] the pods that carry volumes may not be root: they run as the users of the applications. On a source, a "
        "file that this user cannot read fails the copy; on a destination, owners other than this user, devices and "
        "capabilities of files are not kept, and a migration tells of it. If that will not do, label the namespace "
        "`pod-security.kubernetes.io/enforce: baseline` while it is migrated.");
    set_listing(
        conditions, "MoversOverQuota", api::Category::kWarn, "QuotaExceeded", {over_quota_.begin(), over_quota_.end()},
        "The namespaces' quotas leave no room for the pods that carry volumes, each of which asks for 100m of cpu and "
        "128Mi of memory and is limited to 2 and 1Gi: []. A migration fails unless there is room by then.");
  }

 private:
  /// Which claims of a namespace are of files, and one that is a device, if there is one.
  struct Claims {
    std::vector<const api::PlanVolume*> files;
    const api::PlanVolume* device = nullptr;
  };

  /// A namespace that is not there yet will have the labels of the source's, where the same is asked.
  Task<void> ask(Half half) {
    std::map<std::string, Claims> namespaces;
    for (const auto& volume : volumes_) {
      auto& claims = namespaces[(volume.*half.claim).ns];
      if (volume.mode == api::VolumeMode::kBlock) {
        claims.device = &volume;
      } else {
        claims.files.push_back(&volume);
      }
    }
    const auto image = co_await mover_image(half.cluster);
    for (const auto& [ns, claims] : namespaces) {
      const auto there = co_await half.cluster->get(kube::types::namespaces(), {"", ns});
      if (there && !kube::is_being_deleted(*there)) co_await ask_in(half, ns, claims, image);
      if (full_.erase(ns) > 0) co_await await_quotas(half.cluster, ns, &world_);
    }
  }

  Task<void> ask_in(Half half, std::string ns, Claims claims, std::string image) {
    if (claims.device != nullptr) {
      auto mover = example(ns, (claims.device->*half.claim).name, image);
      mover.device = true;
      note(half, ns, co_await ask_admission(half.cluster, pod_of(mover)));
    }
    if (claims.files.empty()) co_return;
    const auto said =
        co_await ask_admission(half.cluster, pod_of(example(ns, (claims.files.front()->*half.claim).name, image)));
    if (said.what != What::kRefused) {
      note(half, ns, said);
      co_return;
    }
    for (const auto* volume : claims.files) co_await ask_restricted(half, ns, *volume, image, said);
  }

  Task<void> ask_restricted(Half half, std::string ns, api::PlanVolume volume, std::string image, Admission as_root) {
    auto mover = example(ns, (volume.*half.claim).name, image);
    mover.reads_only = !half.writes;
    mover.restricted = user_of(co_await workloads(volume.claim.ns), {volume.claim.ns, volume.claim.name});
    const auto said = co_await ask_admission(half.cluster, pod_of(mover));
    const bool nobody = said.what == What::kAdmitted && !said.names_user();
    if (nobody) as_root.words += fmt::format(", and no workload says as whom else for claim {}", volume.claim.str());
    if (said.what == What::kRefused || nobody) {
      note(half, ns, as_root);
    } else if (said.what == What::kAdmitted) {
      restricted_.insert(fmt::format("cluster {}, namespace {}", half.name, ns));
    } else {
      note(half, ns, said);
    }
  }

  /// What runs in a namespace of the source.
  Task<WorkloadObjects> workloads(std::string ns) {
    if (!workloads_.contains(ns)) {
      auto found = co_await read_workloads(world_.source_client, {ns});
      workloads_.emplace(ns, std::move(found));
    }
    co_return workloads_.at(ns);
  }

  void note(const Half& half, const std::string& ns, const Admission& said) {
    auto text = fmt::format("cluster {}, namespace {}: {}", half.name, ns, said.words);
    if (said.what == What::kOverQuota) {
      over_quota_.insert(std::move(text));
      full_.insert(ns);
    } else if (said.what == What::kRefused) {
      refused_.insert(std::move(text));
      world_.awaited.push_back({half.cluster, kube::types::namespaces(), ""});  // its labels may be changed
    }
  }

  PlanWorld& world_;
  std::vector<api::PlanVolume> volumes_;
  std::map<std::string, WorkloadObjects> workloads_;
  std::set<std::string> refused_, restricted_, over_quota_;
  std::set<std::string> full_;  ///< namespaces of the half that is asked, whose quotas leave no room
};

}  // namespace

Task<void> check_admission(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  auto volumes = api::carried_volumes(plan);
  if (volumes.empty()) co_return;
  AdmissionCheck check(world, std::move(volumes));
  co_await check.run();
  check.tell(*conditions);
}

}  // namespace mtc::plan
