#include <set>

#include "sandbox/columns.hpp"
#include "sandbox/resources.hpp"

namespace mtc::sandbox {
namespace {

enum class Scope { kNamespaced, kCluster };
enum class Sub { kNone, kStatus, kStatusAndScale };

ResourcePtr built_in(std::string group, std::string plural, std::string kind, Scope scope, Sub sub,
                     std::vector<std::string> short_names = {}) {
  Resource out;
  out.list_kind = kind + "List";
  out.type = {std::move(group), "v1", std::move(plural), std::move(kind), scope == Scope::kNamespaced};
  out.status_subresource = sub != Sub::kNone;
  out.scale_subresource = sub == Sub::kStatusAndScale;
  out.short_names = std::move(short_names);
  out.columns = columns_of(out.type.kind);
  static const std::set<std::string> common = {
      "pods", "services", "replicationcontrollers",  "deployments", "daemonsets", "replicasets", "statefulsets",
      "jobs", "cronjobs", "horizontalpodautoscalers"};
  if (common.contains(out.type.plural)) out.categories = {"all"};
  return std::make_shared<const Resource>(std::move(out));
}

ResourcePtr in_version(const ResourcePtr& resource, std::string version) {
  auto other = *resource;
  other.type.version = std::move(version);
  return std::make_shared<const Resource>(std::move(other));
}

}  // namespace

const std::vector<ResourcePtr>& built_in_resources() {
  using enum Scope;
  using enum Sub;
  static const std::vector<ResourcePtr> all = {
      built_in("", "namespaces", "Namespace", kCluster, kStatus, {"ns"}),
      built_in("", "pods", "Pod", kNamespaced, kStatus, {"po"}),
      built_in("", "services", "Service", kNamespaced, kStatus, {"svc"}),
      built_in("", "configmaps", "ConfigMap", kNamespaced, kNone, {"cm"}),
      built_in("", "secrets", "Secret", kNamespaced, kNone),
      built_in("", "serviceaccounts", "ServiceAccount", kNamespaced, kNone, {"sa"}),
      built_in("", "endpoints", "Endpoints", kNamespaced, kNone, {"ep"}),
      built_in("", "events", "Event", kNamespaced, kNone, {"ev"}),
      built_in("", "nodes", "Node", kCluster, kStatus, {"no"}),
      built_in("", "persistentvolumes", "PersistentVolume", kCluster, kStatus, {"pv"}),
      built_in("", "persistentvolumeclaims", "PersistentVolumeClaim", kNamespaced, kStatus, {"pvc"}),
      built_in("", "limitranges", "LimitRange", kNamespaced, kNone, {"limits"}),
      built_in("", "resourcequotas", "ResourceQuota", kNamespaced, kStatus, {"quota"}),
      built_in("", "replicationcontrollers", "ReplicationController", kNamespaced, kStatusAndScale, {"rc"}),
      built_in("apps", "deployments", "Deployment", kNamespaced, kStatusAndScale, {"deploy"}),
      built_in("apps", "replicasets", "ReplicaSet", kNamespaced, kStatusAndScale, {"rs"}),
      built_in("apps", "statefulsets", "StatefulSet", kNamespaced, kStatusAndScale, {"sts"}),
      built_in("apps", "daemonsets", "DaemonSet", kNamespaced, kStatus, {"ds"}),
      built_in("apps", "controllerrevisions", "ControllerRevision", kNamespaced, kNone),
      built_in("batch", "jobs", "Job", kNamespaced, kStatus),
      built_in("batch", "cronjobs", "CronJob", kNamespaced, kStatus, {"cj"}),
      built_in("networking.k8s.io", "networkpolicies", "NetworkPolicy", kNamespaced, kNone, {"netpol"}),
      built_in("networking.k8s.io", "ingresses", "Ingress", kNamespaced, kStatus, {"ing"}),
      in_version(
          built_in("autoscaling", "horizontalpodautoscalers", "HorizontalPodAutoscaler", kNamespaced, kStatus, {"hpa"}),
          "v2"),
      built_in("policy", "poddisruptionbudgets", "PodDisruptionBudget", kNamespaced, kStatus, {"pdb"}),
      built_in("rbac.authorization.k8s.io", "roles", "Role", kNamespaced, kNone),
      built_in("rbac.authorization.k8s.io", "rolebindings", "RoleBinding", kNamespaced, kNone),
      built_in("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", kCluster, kNone),
      built_in("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding", kCluster, kNone),
      built_in("storage.k8s.io", "storageclasses", "StorageClass", kCluster, kNone, {"sc"}),
      built_in("coordination.k8s.io", "leases", "Lease", kNamespaced, kNone),
      built_in("discovery.k8s.io", "endpointslices", "EndpointSlice", kNamespaced, kNone),
      built_in("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition", kCluster, kStatus,
               {"crd", "crds"})};
  return all;
}

}  // namespace mtc::sandbox
