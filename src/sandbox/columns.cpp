#include "sandbox/columns.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/strings.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kNone = "<none>";

std::int64_t number(const Json& object, const char* path) { return int_at(object, path).value_or(0); }

std::string or_none(const std::string& text) { return text.empty() ? kNone : text; }

/// A column of whole numbers at a path; 0 where there is none.
template <const char* kPath>
Json count_at(const Json& object) {
  return number(object, kPath);
}

Json data_count(const Json& object) {
  return object_at(object, "data").size() + object_at(object, "binaryData").size();
}

Json ready_of_replicas(const Json& object) {
  return fmt::format("{}/{}", number(object, "status.readyReplicas"), number(object, "spec.replicas"));
}

Json ready_containers(const Json& pod) {
  const auto& statuses = array_at(pod, "status.containerStatuses");
  const auto ready = std::ranges::count_if(statuses, [](const Json& status) { return bool_at(status, "ready"); });
  return fmt::format("{}/{}", ready, array_at(pod, "spec.containers").size());
}

Json pod_status(const Json& pod) {
  if (!string_at(pod, "metadata.deletionTimestamp").empty()) return "Terminating";
  for (const auto& status : array_at(pod, "status.containerStatuses")) {
    for (const auto* state : {"state.waiting.reason", "state.terminated.reason"}) {
      if (auto reason = string_at(status, state); !reason.empty()) return reason;
    }
  }
  return string_at(pod, "status.phase");
}

Json restarts(const Json& pod) {
  std::int64_t sum = 0;
  for (const auto& status : array_at(pod, "status.containerStatuses")) sum += number(status, "restartCount");
  return std::to_string(sum);
}

Json pod_ip(const Json& pod) { return or_none(string_at(pod, "status.podIP")); }
Json node_name(const Json& pod) { return or_none(string_at(pod, "spec.nodeName")); }

Json external_ip(const Json& service) {
  const auto& ingress = array_at(service, "status.loadBalancer.ingress");
  if (!ingress.empty()) return string_at(ingress[0], "ip") + string_at(ingress[0], "hostname");
  if (string_at(service, "spec.type") == "ExternalName") return string_at(service, "spec.externalName");
  return string_at(service, "spec.type") == "LoadBalancer" ? "<pending>" : kNone;
}

Json ports(const Json& service) {
  std::vector<std::string> out;
  for (const auto& port : array_at(service, "spec.ports")) {
    const auto node = int_at(port, "nodePort");
    out.push_back(fmt::format("{}{}/{}", number(port, "port"), node ? fmt::format(":{}", *node) : "",
                              string_at(port, "protocol")));
  }
  return or_none(join(out, ","));
}

Json completions(const Json& job) {
  return fmt::format("{}/{}", number(job, "status.succeeded"), number(job, "spec.completions"));
}

Json job_status(const Json& job) {
  for (const auto& condition : array_at(job, "status.conditions")) {
    if (string_at(condition, "status") == "True") return string_at(condition, "type");
  }
  return "Running";
}

Json node_status(const Json& node) {
  for (const auto& condition : array_at(node, "status.conditions")) {
    if (string_at(condition, "type") == "Ready") return string_at(condition, "status") == "True" ? "Ready" : "NotReady";
  }
  return "Unknown";
}

Json suspended(const Json& object) { return bool_at(object, "spec.suspend") ? "True" : "False"; }

/// "RWO,ROX": as kubectl shortens them.
Json access_modes_in(const Json& modes) {
  static const std::map<std::string, std::string> shorts = {
      {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
  std::vector<std::string> out;
  for (const auto& [mode, text] : shorts) {
    if (std::ranges::find(modes, Json(mode)) != modes.end()) out.push_back(text);
  }
  return join(out, ",");
}

/// A claim that is not bound has nothing to show for what it would like.
bool is_bound(const Json& claim) { return !string_at(claim, "spec.volumeName").empty(); }
Json claim_access_modes(const Json& claim) {
  return is_bound(claim) ? access_modes_in(array_at(claim, "status.accessModes")) : Json("");
}
Json claim_capacity(const Json& claim) { return is_bound(claim) ? string_at(claim, "status.capacity.storage") : ""; }
Json volume_access_modes(const Json& volume) { return access_modes_in(array_at(volume, "spec.accessModes")); }

Json claim_of(const Json& volume) {
  const auto& claim = object_at(volume, "spec.claimRef");
  return claim.empty() ? "" : string_at(claim, "namespace") + "/" + string_at(claim, "name");
}

Json attributes_class(const Json& object) {
  const auto name = string_at(object, "spec.volumeAttributesClassName");
  return name.empty() ? "<unset>" : name;
}

Json volume_status(const Json& object) {
  return string_at(object, "metadata.deletionTimestamp").empty() ? string_at(object, "status.phase") : "Terminating";
}

Json expandable(const Json& storage_class) { return bool_at(storage_class, "allowVolumeExpansion"); }

Json role_of(const Json& binding) {
  return string_at(binding, "roleRef.kind") + "/" + string_at(binding, "roleRef.name");
}

Json event_object(const Json& event) {
  return to_lower(string_at(event, "involvedObject.kind")) + "/" + string_at(event, "involvedObject.name");
}

Json secret_count(const Json& account) { return array_at(account, "secrets").size(); }

constexpr char kReplicas[] = "status.replicas", kReady[] = "status.readyReplicas",
               kAvailable[] = "status.availableReplicas", kUpdated[] = "status.updatedReplicas",
               kWanted[] = "spec.replicas", kDesired[] = "status.desiredNumberScheduled",
               kScheduled[] = "status.currentNumberScheduled", kNumberReady[] = "status.numberReady";

Column at(const char* name, const char* path, const char* type = "string", int priority = 0) {
  return {name, type, path, priority};
}
Column made(const char* name, Json (*show)(const Json&), const char* type = "string", int priority = 0) {
  return {name, type, "", priority, show};
}
Column count(const char* name, Json (*show)(const Json&)) { return made(name, show, "integer"); }

}  // namespace

std::vector<Column> columns_of(const std::string& kind) {
  static const std::map<std::string, std::vector<Column>> columns = {
      {"Namespace", {at("Status", ".status.phase")}},
      {"Pod",
       {made("Ready", ready_containers), made("Status", pod_status), made("Restarts", restarts),
        made("IP", pod_ip, "string", 1), made("Node", node_name, "string", 1)}},
      {"Service",
       {at("Type", ".spec.type"), at("Cluster-IP", ".spec.clusterIP"), made("External-IP", external_ip),
        made("Port(s)", ports)}},
      {"ConfigMap", {count("Data", data_count)}},
      {"Secret", {at("Type", ".type"), count("Data", data_count)}},
      {"ServiceAccount", {count("Secrets", secret_count)}},
      {"Event",
       {at("Last Seen", ".lastTimestamp", "date"), at("Type", ".type"), at("Reason", ".reason"),
        made("Object", event_object), at("Message", ".message")}},
      {"Node", {made("Status", node_status), at("Version", ".status.nodeInfo.kubeletVersion")}},
      {"PersistentVolume",
       {at("Capacity", ".spec.capacity.storage"), made("Access Modes", volume_access_modes),
        at("Reclaim Policy", ".spec.persistentVolumeReclaimPolicy"), made("Status", volume_status),
        made("Claim", claim_of), at("StorageClass", ".spec.storageClassName"),
        made("VolumeAttributesClass", attributes_class), at("Reason", ".status.reason"),
        at("VolumeMode", ".spec.volumeMode", "string", 1)}},
      {"PersistentVolumeClaim",
       {made("Status", volume_status), at("Volume", ".spec.volumeName"), made("Capacity", claim_capacity),
        made("Access Modes", claim_access_modes), at("StorageClass", ".spec.storageClassName"),
        made("VolumeAttributesClass", attributes_class), at("VolumeMode", ".spec.volumeMode", "string", 1)}},
      {"ReplicationController",
       {count("Desired", count_at<kWanted>), count("Current", count_at<kReplicas>), count("Ready", count_at<kReady>)}},
      {"Deployment",
       {made("Ready", ready_of_replicas), count("Up-to-date", count_at<kUpdated>),
        count("Available", count_at<kAvailable>)}},
      {"ReplicaSet",
       {count("Desired", count_at<kWanted>), count("Current", count_at<kReplicas>), count("Ready", count_at<kReady>)}},
      {"StatefulSet", {made("Ready", ready_of_replicas)}},
      {"DaemonSet",
       {count("Desired", count_at<kDesired>), count("Current", count_at<kScheduled>),
        count("Ready", count_at<kNumberReady>)}},
      {"Job", {made("Status", job_status), made("Completions", completions)}},
      {"CronJob", {at("Schedule", ".spec.schedule"), made("Suspend", suspended)}},
      {"RoleBinding", {made("Role", role_of)}},
      {"ClusterRoleBinding", {made("Role", role_of)}},
      {"StorageClass",
       {at("Provisioner", ".provisioner"), at("ReclaimPolicy", ".reclaimPolicy"),
        at("VolumeBindingMode", ".volumeBindingMode"), made("AllowVolumeExpansion", expandable)}},
      {"Ingress", {at("Class", ".spec.ingressClassName")}},
      {"CustomResourceDefinition", {at("Created At", ".metadata.creationTimestamp", "date")}}};
  const auto known = columns.find(kind);
  return known == columns.end() ? std::vector<Column>{} : known->second;
}

std::string shown_name(const Resource& resource, const Json& object) {
  auto name = string_at(object, "metadata.name");
  const auto* is_default =
      member(object_at(object, "metadata.annotations"), "storageclass.kubernetes.io/is-default-class");
  if (resource.type.kind == "StorageClass" && is_default != nullptr && *is_default == "true") name += " (default)";
  return name;
}

}  // namespace mtc::sandbox
