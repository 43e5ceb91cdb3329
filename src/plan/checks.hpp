#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/condition.hpp"
#include "api/kinds.hpp"
#include "base/clock.hpp"
#include "net/connect.hpp"
#include "plan/connections.hpp"
#include "plan/settings.hpp"
#include "plan/target_claims.hpp"
#include "plan/volumes.hpp"

namespace mtc::plan {

/// Whether a MigCluster can be used: URL, Secret, token, a real conversation, privileges (spec conditions.md §2). Sets
/// conditions; throws only when the host itself fails.
Task<void> check_cluster(Connections* connections, api::MigCluster cluster, api::Conditions* conditions);

/// Whether a MigStorage can be used: provider, settings, Secret, a real object written, read and removed (spec
/// conditions.md §3).
Task<void> check_storage(Connections* connections, api::MigStorage storage, api::Conditions* conditions,
                         std::string unique_name);

/// Objects whose change may alter what a check says.
struct Place {
  kube::ClientPtr cluster;
  kube::ResourceType type;
  std::string ns;  ///< "" for cluster-scoped types
};

/// What a MigPlan refers to, read once a pass.
struct PlanWorld {
  std::optional<Json> source, destination, storage;  ///< the MigCluster and MigStorage objects; nullopt if absent
  kube::ClientPtr source_client, destination_client;
  bool is_one_cluster = false;  ///< both sides are the same cluster; set by check_plan
  bool is_conversion = false;   ///< of storage classes (plan/migration_type.hpp); set by check_plan
  std::vector<Json> plans;      ///< all MigPlans
  Settings settings;
  net::ConnectorPtr connector = net::tcp_connector(std::chrono::seconds(3));  ///< to what volumes name
  FoundVolumes volumes;                                                       ///< set by discover_volumes
  StorageClasses source_classes, destination_classes;                         ///< likewise
  TargetClaims target_claims;          ///< of the destination's namespaces; set by check_volumes
  std::set<std::string> growing;       ///< namespaces of the destination with claims that are to grow; likewise
  std::vector<Place> awaited;          ///< what may put right what was found wrong
  std::optional<Duration> look_again;  ///< when to look whether it is right by now, where it cannot be watched
};
/// References, storage, namespaces, conflicts, hooks (spec conditions.md §6.2), in the order of §6.1.
Task<void> check_plan(Connections* connections, api::MigPlan plan, PlanWorld* world, api::Conditions* conditions);
/// What lies around the plan on both clusters: registries, identities of namespaces, proxies, included kinds, lengths
/// of names. Needs both clusters.
Task<void> check_surroundings(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions);
/// The pods of the source: too many, bound to nodes, unhealthy, or not to be stopped by a quiesce. Returns
/// status.namespaces, [] if all are healthy. Needs the source.
Task<Json> check_pods(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions);
/// Lists the volumes of the plan's namespaces in spec.persistentVolumes of `object` and the storage classes of both
/// clusters in its status, and sets PvsDiscovered (spec config-controllers.md §6). Needs both clusters.
Task<void> discover_volumes(api::MigPlan plan, PlanWorld* world, Json* object, api::Conditions* conditions);
/// What users chose for the volumes, and what this release can do with that (spec conditions.md §6.2). `plan` is read
/// after discover_volumes. Needs both clusters.
Task<void> check_volumes(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions);
/// The claims that the volumes get on the destination: names that collide or that a StatefulSet would not find, claims
/// that are there already, and those that nobody brings. check_volumes calls it.
void check_volume_targets(std::vector<api::PlanVolume> volumes, std::string plan_uid, PlanWorld* world,
                          api::Conditions* conditions);
/// Whether the claims on the destination can be as large as the plan wants them: those that an earlier migration made,
/// and by the namespaces' ResourceQuotas. check_volumes calls it.
Task<void> check_claim_room(std::vector<api::PlanVolume> volumes, std::string plan_uid, PlanWorld* world,
                            api::Conditions* conditions);
/// Volumes with the action move: whether their objects can be on the destination too, and some node there reach them.
/// check_volumes calls it.
Task<void> check_moved_volumes(std::vector<api::PlanVolume> volumes, std::string plan_uid, PlanWorld* world,
                               api::Conditions* conditions);
/// Whether the source can take snapshots of the volumes whose user selected that: API, class, driver. check_volumes
/// calls it.
Task<void> check_snapshots(std::vector<api::PlanVolume> volumes, PlanWorld* world, api::Conditions* conditions);
/// Whether a plan that converts storage classes has something to convert, and somewhere to convert it to (spec
/// conditions.md §6.2). check_volumes calls it.
void check_conversion(const std::vector<api::PlanVolume>& volumes, const PlanWorld& world, api::Conditions* conditions);
/// What this release cannot move yet: internal images. A plan that would need it is refused here instead of running
/// without it. Needs the source.
Task<void> check_content(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions);
/// Whether both clusters' tokens allow what copying the plan's volumes needs: asked before a migration begins, since it
/// would stop halfway. Needs both clusters.
Task<void> check_movers(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions);
/// Whether both clusters' admission lets in the pods that carry the plan's volumes: asked by dry runs, in each
/// namespace with such claims that is there. Needs both clusters.
Task<void> check_admission(api::MigPlan plan, PlanWorld* world, api::Conditions* conditions);
/// Kinds with objects in the plan's namespaces that the destination does not serve: status.incompatibleNamespaces, []
/// if none.
Task<Json> incompatible_kinds(api::MigPlan plan, PlanWorld* world);

/// The namespace, CustomResourceDefinitions and nothing else that every cluster of a migration needs; what is there
/// stays as it is.
Task<void> bootstrap(kube::ClientPtr cluster);
/// The same on the host, and the namespace in which the documents keep credentials.
Task<void> bootstrap_host(kube::ClientPtr host);
/// BackupStorageLocation, VolumeSnapshotLocation and cloud Secret of a plan on one cluster (spec config-controllers.md
/// §5.5, §5.6), written only if they differ.
Task<void> ensure_locations(Connections* connections, kube::ClientPtr cluster, api::MigPlan plan,
                            api::MigStorage storage);
/// Removes what ensure_locations made for this plan.
Task<void> remove_locations(kube::ClientPtr cluster, std::string plan_uid);
/// Removes what ensure_locations made on this cluster for plans of this host that are no more: a plan that is deleted
/// takes nothing along by itself.
Task<void> sweep_locations(Connections* connections, kube::ClientPtr cluster);

}  // namespace mtc::plan
