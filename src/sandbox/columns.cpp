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
       {at("Capacity", ".spec.capacity.storage"), at("Reclaim Policy", ".spec.persistentVolumeReclaimPolicy"),
        at("Status", ".status.phase"), at("StorageClass", ".spec.storageClassName")}},
      {"PersistentVolumeClaim",
       {at("Status", ".status.phase"), at("Volume", ".spec.volumeName"), at("Capacity", ".status.capacity.storage"),
        at("StorageClass", ".spec.storageClassName")}},
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
      {"StorageClass", {at("Provisioner", ".provisioner"), at("ReclaimPolicy", ".reclaimPolicy")}},
      {"Ingress", {at("Class", ".spec.ingressClassName")}},
      {"CustomResourceDefinition", {at("Created At", ".metadata.creationTimestamp", "date")}}};
  const auto known = columns.find(kind);
  return known == columns.end() ? std::vector<Column>{} : known->second;
}

}  // namespace mtc::sandbox
