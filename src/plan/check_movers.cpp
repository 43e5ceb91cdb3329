#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "api/names.hpp"
#include "api/volumes.hpp"
#include "async/scope.hpp"
#include "base/strings.hpp"
#include "plan/checks.hpp"
#include "plan/cluster_settings.hpp"

namespace mtc::plan {
namespace {

struct Privilege {
  const char* verb;
  const char* resource;
  const char* subresource = "";
  const char* group = "";
  const char* name = "";  ///< of the one object, if it is about one
};
/// What copying volumes needs on either cluster (docs/guide/volumes.md). One verb stands for the kind where roles are
/// written by kinds.
constexpr std::array kPrivileges = {Privilege{"create", "pods"},
                                    Privilege{"delete", "pods"},
                                    Privilege{"watch", "pods"},
                                    Privilege{"get", "pods", "log"},
                                    Privilege{"create", "secrets"},
                                    Privilege{"delete", "secrets"},
                                    Privilege{"get", "persistentvolumeclaims"}};
/// In our namespace of either cluster: the movers' image stands there, if it is not that of this release.
constexpr Privilege kReadSettings{"get", "configmaps", "", "", kClusterSettings};
constexpr Privilege kCreateClaims{"create", "persistentvolumeclaims"};
constexpr Privilege kGrowClaims{"patch", "persistentvolumeclaims"};  ///< which are too small, on the destination
constexpr Privilege kCreateServices{"create", "services"};           ///< from cluster to cluster
/// Through the API servers; the former until Kubernetes 1.34, both from 1.35 on.
constexpr std::array kForward = {Privilege{"get", "pods", "portforward"}, Privilege{"create", "pods", "portforward"}};
/// Through the repository: marks on what a stage backup takes along, on the source.
constexpr std::array kMarks = {Privilege{"patch", "persistentvolumeclaims"}, Privilege{"patch", "namespaces"}};
constexpr Privilege kMarkVolumes{"patch", "persistentvolumes"};
/// Moving a volume: its marks and its policy on the source, its twin and the twin's claim on the destination.
constexpr std::array kTwins = {Privilege{"create", "persistentvolumes"}, Privilege{"patch", "persistentvolumes"},
                               Privilege{"delete", "persistentvolumes"}};
constexpr std::array kTwinClaims = {kCreateClaims, Privilege{"delete", "persistentvolumeclaims"}};
/// For volumes that are copied as snapshots have them, on the source: the snapshots, and claims made of them.
constexpr auto kSnapshotGroup = "snapshot.storage.k8s.io";
constexpr std::array kSnapshots = {Privilege{"create", "volumesnapshots", "", kSnapshotGroup},
                                   Privilege{"watch", "volumesnapshots", "", kSnapshotGroup},
                                   Privilege{"delete", "volumesnapshots", "", kSnapshotGroup},
                                   Privilege{"create", "persistentvolumeclaims"},
                                   Privilege{"delete", "persistentvolumeclaims"}};
constexpr std::array kSnapshotContents = {Privilege{"get", "volumesnapshotcontents", "", kSnapshotGroup},
                                          Privilege{"patch", "volumesnapshotcontents", "", kSnapshotGroup}};
/// What letting workloads use other claims needs beyond that (docs/guide/storage-conversion.md).
constexpr std::array kSwapPrivileges = {Privilege{"patch", "persistentvolumeclaims"},
                                        Privilege{"create", "configmaps"},
                                        Privilege{"delete", "configmaps"},
                                        Privilege{"update", "deployments", "", "apps"},
                                        Privilege{"create", "statefulsets", "", "apps"},
                                        Privilege{"delete", "statefulsets", "", "apps"}};

Task<void> ask(kube::ClientPtr cluster, std::string side, std::string ns, Privilege what,
               std::set<std::string>* lacking) {
  const Json attributes = {{"namespace", ns},
                           {"verb", what.verb},
                           {"group", what.group},
                           {"resource", what.resource},
                           {"subresource", what.subresource},
                           {"name", what.name}};
  const Json review = {{"apiVersion", "authorization.k8s.io/v1"},
                       {"kind", "SelfSubjectAccessReview"},
                       {"spec", {{"resourceAttributes", attributes}}}};
  const auto answer = co_await cluster->create(kube::types::self_subject_access_reviews(), review);
  const std::string_view subresource(what.subresource), name(what.name);
  if (!bool_at(answer, "status.allowed")) {
    lacking->insert(fmt::format("{}: {} {}{}{}{}{}{}{}", side, what.verb, what.resource, subresource.empty() ? "" : "/",
                                subresource, name.empty() ? "" : " ", name, ns.empty() ? "" : " in ", ns));
  }
}

void ask_for_moves(const std::vector<api::PlanVolume>& moved, const PlanWorld& world,
                   std::vector<Task<void>>* questions, std::set<std::string>* lacking) {
  if (moved.empty()) return;
  questions->push_back(ask(world.source_client, "source", "", kMarkVolumes, lacking));
  for (const auto& what : kTwins) questions->push_back(ask(world.destination_client, "destination", "", what, lacking));
  std::set<std::string> sources, targets;
  for (const auto& volume : moved) {
    sources.insert(volume.claim.ns);
    targets.insert(volume.target.ns);
  }
  for (const auto& ns : sources)
    for (const auto& what : kMarks) questions->push_back(ask(world.source_client, "source", ns, what, lacking));
  for (const auto& ns : targets)
    for (const auto& what : kTwinClaims)
      questions->push_back(ask(world.destination_client, "destination", ns, what, lacking));
}

}  // namespace

Task<void> check_movers(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions) {
  const auto volumes = api::carried_volumes(plan), moved = api::moved_volumes(plan);
  if (volumes.empty() && moved.empty()) co_return;
  const bool any_direct = !api::directly_copied(plan).empty(), any_staged = !api::indirectly_copied(plan).empty();
  const bool any_snapshot = std::ranges::any_of(volumes, &api::PlanVolume::is_snapshot_copy);
  std::set<std::string> sources, targets, lacking;
  for (const auto& volume : volumes) {
    sources.insert(volume.claim.ns);
    targets.insert(volume.target.ns);
  }
  std::vector<Privilege> on_source(kPrivileges.begin(), kPrivileges.end());
  auto on_destination = on_source;
  on_destination.push_back(kCreateClaims);
  if (any_staged) on_source.insert(on_source.end(), kMarks.begin(), kMarks.end());
  if (any_snapshot) on_source.insert(on_source.end(), kSnapshots.begin(), kSnapshots.end());
  if (any_direct) {
    const bool relayed = co_await endpoint_type(world->destination_client) == kRelayAlone;
    for (auto* needed : {&on_source, &on_destination}) {
      if (relayed) needed->insert(needed->end(), kForward.begin(), kForward.end());
      if (!relayed) needed->push_back(kCreateServices);
    }
  }
  if (world->is_conversion) on_source.insert(on_source.end(), kSwapPrivileges.begin(), kSwapPrivileges.end());
  std::vector<Task<void>> questions;
  if (any_staged) questions.push_back(ask(world->source_client, "source", "", kMarkVolumes, &lacking));
  if (any_snapshot) {
    for (const auto& what : kSnapshotContents)
      questions.push_back(ask(world->source_client, "source", "", what, &lacking));
  }
  for (const auto& ns : sources) {
    for (const auto& what : on_source) questions.push_back(ask(world->source_client, "source", ns, what, &lacking));
  }
  for (const auto& ns : targets) {
    for (const auto& what : on_destination)
      questions.push_back(ask(world->destination_client, "destination", ns, what, &lacking));
  }
  if (!volumes.empty()) {
    questions.push_back(ask(world->source_client, "source", api::kNamespace, kReadSettings, &lacking));
    questions.push_back(ask(world->destination_client, "destination", api::kNamespace, kReadSettings, &lacking));
  }
  for (const auto& ns : world->growing)
    questions.push_back(ask(world->destination_client, "destination", ns, kGrowClaims, &lacking));
  ask_for_moves(moved, *world, &questions, &lacking);
  co_await async::all(std::move(questions));
  if (lacking.empty()) co_return;
  conditions->set({.type = "VolumePrivilegesMissing",
                   .category = api::Category::kCritical,
                   .reason = "Unauthorized",
                   .message = "The clusters' tokens lack what the plan's volumes need: [].",
                   .items = {lacking.begin(), lacking.end()}});
}

}  // namespace mtc::plan
