#include "sandbox/bootstrap.hpp"

#include "json/yaml.hpp"
#include "sandbox/storage_class.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kRoles = R"(
cluster-admin:
- {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
- {nonResourceURLs: ["*"], verbs: ["*"]}
admin:
- apiGroups: ["", apps, batch, autoscaling, policy, networking.k8s.io, rbac.authorization.k8s.io]
  resources: [pods, pods/log, pods/portforward, services, configmaps, secrets, serviceaccounts, endpoints, events,
    persistentvolumeclaims, replicationcontrollers, deployments, replicasets, statefulsets, daemonsets, jobs, cronjobs,
    horizontalpodautoscalers, poddisruptionbudgets, networkpolicies, ingresses, roles, rolebindings, "*/scale"]
  verbs: [create, delete, deletecollection, get, list, patch, update, watch]
edit:
- apiGroups: ["", apps, batch, autoscaling, policy, networking.k8s.io]
  resources: [pods, pods/log, pods/portforward, services, configmaps, secrets, serviceaccounts, endpoints, events,
    persistentvolumeclaims, replicationcontrollers, deployments, replicasets, statefulsets, daemonsets, jobs, cronjobs,
    horizontalpodautoscalers, poddisruptionbudgets, networkpolicies, ingresses, "*/scale"]
  verbs: [create, delete, deletecollection, get, list, patch, update, watch]
view:
- apiGroups: ["", apps, batch, autoscaling, policy, networking.k8s.io]
  resources: [pods, pods/log, services, configmaps, serviceaccounts, endpoints, events, persistentvolumeclaims, namespaces,
    replicationcontrollers, deployments, replicasets, statefulsets, daemonsets, jobs, cronjobs,
    horizontalpodautoscalers, poddisruptionbudgets, networkpolicies, ingresses, "*/scale"]
  verbs: [get, list, watch]
)";

constexpr auto kNode = R"(
metadata: {labels: {kubernetes.io/hostname: sandbox, kubernetes.io/os: linux}}
status:
  capacity: {cpu: "8", memory: 16Gi, pods: "110"}
  allocatable: {cpu: "8", memory: 16Gi, pods: "110"}
  addresses:
  - {type: InternalIP, address: 127.0.0.1}
  - {type: Hostname, address: sandbox}
  conditions:
  - {type: Ready, status: "True", reason: KubeletReady, message: pods here are records or local processes}
  nodeInfo: {kubeletVersion: v1.34.0+mtc, operatingSystem: linux, architecture: amd64, containerRuntimeVersion: none}
)";

constexpr auto kStorageClass = R"(
metadata:
  name: standard
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
reclaimPolicy: Delete
volumeBindingMode: Immediate
)";

class Maker {
 public:
  explicit Maker(Objects& objects) : objects_(objects) {}

  void ensure(const std::string& group, const std::string& plural, Json object) {
    const auto name = string_at(object, "metadata.name");
    const auto resource = objects_.resources().find(group, "v1", plural);
    if (objects_.storage().get({resource->type.group_resource(), "", name})) return;
    auto status = object_at(object, "status");
    auto made = *objects_.create(*resource, "", std::move(object), {.manager = "kube-apiserver"});
    if (status.empty()) return;
    made["status"] = std::move(status);
    objects_.update(*resource, "", name, made, {.manager = "kubelet", .part = Part::kStatus, .subresource = "status"});
  }

 private:
  Objects& objects_;
};

Json of_the_cluster(const std::string& name) {
  return {{"metadata", {{"name", name}, {"labels", {{"kubernetes.io/bootstrapping", "rbac-defaults"}}}}}};
}

}  // namespace

void bootstrap(Objects& objects) {
  constexpr auto rbac = "rbac.authorization.k8s.io";
  Maker maker(objects);
  for (const auto* ns : {"default", "kube-system", "kube-public", "kube-node-lease"})
    maker.ensure("", "namespaces", {{"metadata", {{"name", ns}}}});
  auto node = parse_yaml_one(kNode);
  node["metadata"]["name"] = kNodeName;
  maker.ensure("", "nodes", std::move(node));
  auto storage_class = parse_yaml_one(kStorageClass);
  storage_class["provisioner"] = kProvisioner;
  maker.ensure("storage.k8s.io", "storageclasses", std::move(storage_class));
  for (const auto& [name, rules] : parse_yaml_one(kRoles).items()) {
    auto role = of_the_cluster(name);
    role["rules"] = rules;
    maker.ensure(rbac, "clusterroles", std::move(role));
  }
  auto binding = of_the_cluster("cluster-admin");
  binding["roleRef"] = {{"apiGroup", rbac}, {"kind", "ClusterRole"}, {"name", "cluster-admin"}};
  binding["subjects"] = Json::array({{{"apiGroup", rbac}, {"kind", "Group"}, {"name", "system:masters"}}});
  maker.ensure(rbac, "clusterrolebindings", std::move(binding));
}

}  // namespace mtc::sandbox
