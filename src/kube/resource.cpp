#include "kube/resource.hpp"

#include "json/json.hpp"

namespace mtc::kube {

std::string ResourceType::api_version() const { return group.empty() ? version : group + "/" + version; }
std::string ResourceType::group_resource() const { return group.empty() ? plural : plural + "." + group; }
std::string ObjectKey::str() const { return ns.empty() ? name : ns + "/" + name; }

ObjectKey key_of(const Json& object) {
  return {string_at(object, "metadata.namespace"), string_at(object, "metadata.name")};
}
std::string uid_of(const Json& object) { return string_at(object, "metadata.uid"); }
std::string resource_version_of(const Json& object) { return string_at(object, "metadata.resourceVersion"); }

std::string label(const Json& object, std::string_view key) {
  const auto* value = member(object_at(object, "metadata.labels"), key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::string annotation(const Json& object, std::string_view key) {
  const auto* value = member(object_at(object, "metadata.annotations"), key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

bool is_being_deleted(const Json& object) { return !string_at(object, "metadata.deletionTimestamp").empty(); }

namespace types {
namespace {
constexpr bool kClusterScoped = false;
}

// One line a kind: group, version, plural, kind, and whether it lives in a namespace.
#define MTC_TYPE(name, ...)                     \
  const ResourceType& name() {                  \
    static const ResourceType type __VA_ARGS__; \
    return type;                                \
  }
MTC_TYPE(namespaces, {"", "v1", "namespaces", "Namespace", kClusterScoped})
MTC_TYPE(pods, {"", "v1", "pods", "Pod"})
MTC_TYPE(secrets, {"", "v1", "secrets", "Secret"})
MTC_TYPE(config_maps, {"", "v1", "configmaps", "ConfigMap"})
MTC_TYPE(services, {"", "v1", "services", "Service"})
MTC_TYPE(service_accounts, {"", "v1", "serviceaccounts", "ServiceAccount"})
MTC_TYPE(events, {"", "v1", "events", "Event"})
MTC_TYPE(nodes, {"", "v1", "nodes", "Node", kClusterScoped})
MTC_TYPE(persistent_volumes, {"", "v1", "persistentvolumes", "PersistentVolume", kClusterScoped})
MTC_TYPE(persistent_volume_claims, {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim"})
MTC_TYPE(replication_controllers, {"", "v1", "replicationcontrollers", "ReplicationController"})
MTC_TYPE(deployments, {"apps", "v1", "deployments", "Deployment"})
MTC_TYPE(stateful_sets, {"apps", "v1", "statefulsets", "StatefulSet"})
MTC_TYPE(daemon_sets, {"apps", "v1", "daemonsets", "DaemonSet"})
MTC_TYPE(replica_sets, {"apps", "v1", "replicasets", "ReplicaSet"})
MTC_TYPE(jobs, {"batch", "v1", "jobs", "Job"})
MTC_TYPE(cron_jobs, {"batch", "v1", "cronjobs", "CronJob"})
MTC_TYPE(roles, {"rbac.authorization.k8s.io", "v1", "roles", "Role"})
MTC_TYPE(role_bindings, {"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"})
MTC_TYPE(cluster_roles, {"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", kClusterScoped})
MTC_TYPE(cluster_role_bindings,
         {"rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", kClusterScoped})
MTC_TYPE(storage_classes, {"storage.k8s.io", "v1", "storageclasses", "StorageClass", kClusterScoped})
MTC_TYPE(leases, {"coordination.k8s.io", "v1", "leases", "Lease"})
MTC_TYPE(custom_resource_definitions,
         {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", kClusterScoped})
MTC_TYPE(self_subject_access_reviews,
         {"authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", kClusterScoped})
MTC_TYPE(image_streams, {"image.openshift.io", "v1", "imagestreams", "ImageStream"})
MTC_TYPE(deployment_configs, {"apps.openshift.io", "v1", "deploymentconfigs", "DeploymentConfig"})
MTC_TYPE(virtual_machines, {"kubevirt.io", "v1", "virtualmachines", "VirtualMachine"})
MTC_TYPE(backups, {"velero.io", "v1", "backups", "Backup"})
MTC_TYPE(restores, {"velero.io", "v1", "restores", "Restore"})
MTC_TYPE(backup_storage_locations, {"velero.io", "v1", "backupstoragelocations", "BackupStorageLocation"})
MTC_TYPE(volume_snapshot_locations, {"velero.io", "v1", "volumesnapshotlocations", "VolumeSnapshotLocation"})
MTC_TYPE(delete_backup_requests, {"velero.io", "v1", "deletebackuprequests", "DeleteBackupRequest"})
MTC_TYPE(pod_volume_backups, {"velero.io", "v1", "podvolumebackups", "PodVolumeBackup"})
MTC_TYPE(pod_volume_restores, {"velero.io", "v1", "podvolumerestores", "PodVolumeRestore"})
MTC_TYPE(volume_snapshots, {"snapshot.storage.k8s.io", "v1", "volumesnapshots", "VolumeSnapshot"})
MTC_TYPE(volume_snapshot_contents,
         {"snapshot.storage.k8s.io", "v1", "volumesnapshotcontents", "VolumeSnapshotContent", kClusterScoped})
MTC_TYPE(volume_snapshot_classes,
         {"snapshot.storage.k8s.io", "v1", "volumesnapshotclasses", "VolumeSnapshotClass", kClusterScoped})
#undef MTC_TYPE

}  // namespace types
}  // namespace mtc::kube
