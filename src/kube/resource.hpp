#pragma once

#include <string>
#include <string_view>

#include "json/fwd.hpp"

namespace mtc::kube {

/// A kind as the API server serves it.
struct ResourceType {
  std::string group;    ///< "" for the core group
  std::string version;  ///< "v1"
  std::string plural;   ///< "deployments"
  std::string kind;     ///< "Deployment"
  bool namespaced = true;

  /// "v1" or "apps/v1".
  std::string api_version() const;
  /// "deployments.apps", or "pods" for the core group: Velero's and kubectl's name of a group-resource.
  std::string group_resource() const;
  bool operator==(const ResourceType&) const = default;
};

/// Names one object; `ns` is "" for cluster-scoped kinds.
struct ObjectKey {
  std::string ns;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
  /// "ns/name" or "name".
  std::string str() const;
};

/// The key of an object's metadata.
ObjectKey key_of(const Json& object);
std::string uid_of(const Json& object);
std::string resource_version_of(const Json& object);
/// "" if the label or annotation is absent.
std::string label(const Json& object, std::string_view key);
std::string annotation(const Json& object, std::string_view key);
/// Whether somebody has deleted an object that is still there: finalizers, or what it holds, keep it.
bool is_being_deleted(const Json& object);

/// The kinds that mtc names itself; everything else comes from discovery.
namespace types {
const ResourceType& namespaces();
const ResourceType& pods();
const ResourceType& secrets();
const ResourceType& config_maps();
const ResourceType& services();
const ResourceType& service_accounts();
const ResourceType& events();
const ResourceType& nodes();
const ResourceType& persistent_volumes();
const ResourceType& persistent_volume_claims();
const ResourceType& replication_controllers();
const ResourceType& deployments();
const ResourceType& stateful_sets();
const ResourceType& daemon_sets();
const ResourceType& replica_sets();
const ResourceType& jobs();
const ResourceType& cron_jobs();
const ResourceType& roles();
const ResourceType& role_bindings();
const ResourceType& cluster_roles();
const ResourceType& cluster_role_bindings();
const ResourceType& storage_classes();
const ResourceType& leases();
const ResourceType& custom_resource_definitions();
const ResourceType& self_subject_access_reviews();
const ResourceType& image_streams();       ///< image.openshift.io/v1
const ResourceType& deployment_configs();  ///< apps.openshift.io/v1
const ResourceType& virtual_machines();    ///< kubevirt.io/v1
const ResourceType& backups();             ///< velero.io/v1
const ResourceType& restores();            ///< velero.io/v1
const ResourceType& backup_storage_locations();
const ResourceType& volume_snapshot_locations();
const ResourceType& delete_backup_requests();
const ResourceType& pod_volume_backups();
const ResourceType& pod_volume_restores();
const ResourceType& volume_snapshots();  ///< snapshot.storage.k8s.io/v1
const ResourceType& volume_snapshot_contents();
const ResourceType& volume_snapshot_classes();
}  // namespace types

}  // namespace mtc::kube
