#include <tuple>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "json/yaml.hpp"
#include "sandbox/objects.hpp"

namespace mtc::sandbox {
namespace {

void preset(Json& object, const char* field, Json value) {
  if (!object.contains(field)) object[field] = std::move(value);
}

/// Fills in, deep down, what `defaults` (flow YAML) has and the object has not.
void fill_in(Json& object, const Json& defaults) {
  for (const auto& [key, value] : defaults.items()) {
    if (!object.contains(key)) {
      object[key] = value;
    } else if (value.is_object() && object[key].is_object()) {
      fill_in(object[key], value);
    }
  }
}

void default_service(Json& object, Rng& rng) {
  auto& spec = object["spec"];
  preset(spec, "type", "ClusterIP");
  preset(spec, "sessionAffinity", "None");
  const bool has_address = string_at(spec, "type") != "ExternalName";
  if (has_address && string_at(spec, "clusterIP").empty()) {
    spec["clusterIP"] = fmt::format("10.96.{}.{}", rng.below(256), 1 + rng.below(254));
  }
  if (has_address) {
    preset(spec, "clusterIPs", Json::array({spec["clusterIP"]}));
    preset(spec, "internalTrafficPolicy", "Cluster");
    preset(spec, "ipFamilies", Json::array({"IPv4"}));
    preset(spec, "ipFamilyPolicy", "SingleStack");
  }
  if (!spec.contains("ports") || !spec["ports"].is_array()) return;
  const bool node_ports = string_at(spec, "type") == "NodePort" || string_at(spec, "type") == "LoadBalancer";
  for (auto& port : spec["ports"]) {
    preset(port, "protocol", "TCP");
    if (port.contains("port")) preset(port, "targetPort", port["port"]);
    if (node_ports) preset(port, "nodePort", 30000 + static_cast<std::int64_t>(rng.below(2768)));
  }
}

/// "Always" for an image whose tag moves.
const char* pull_policy(const std::string& image) {
  const auto tag = image.find(':', image.rfind('/') == std::string::npos ? 0 : image.rfind('/'));
  const bool moves = tag == std::string::npos || image.substr(tag) == ":latest";
  return moves && !image.contains('@') ? "Always" : "IfNotPresent";
}

void default_container(Json& container) {
  static const auto probe =
      parse_yaml_one("{timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3}");
  preset(container, "imagePullPolicy", pull_policy(string_at(container, "image")));
  preset(container, "terminationMessagePath", "/dev/termination-log");
  preset(container, "terminationMessagePolicy", "File");
  preset(container, "resources", Json::object());
  for (const auto* name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    if (!container.contains(name)) continue;
    fill_in(container[name], probe);
    if (container[name].contains("httpGet")) preset(container[name]["httpGet"], "scheme", "HTTP");
  }
  if (container.contains("ports")) {
    for (auto& port : container["ports"]) preset(port, "protocol", "TCP");
  }
  if (!container.contains("env")) return;
  for (auto& variable : container["env"]) {
    if (find(variable, "valueFrom.fieldRef") != nullptr) preset(variable["valueFrom"]["fieldRef"], "apiVersion", "v1");
  }
}

void default_volume(Json& volume) {
  constexpr auto mode = 0644;
  for (const auto* name : {"configMap", "secret", "projected", "downwardAPI"}) {
    if (volume.contains(name)) preset(volume[name], "defaultMode", mode);
  }
  if (volume.contains("hostPath")) preset(volume["hostPath"], "type", "");
}

void default_pod_spec(Json& spec) {
  preset(spec, "restartPolicy", "Always");
  preset(spec, "dnsPolicy", "ClusterFirst");
  preset(spec, "terminationGracePeriodSeconds", 30);
  preset(spec, "schedulerName", "default-scheduler");
  preset(spec, "securityContext", Json::object());
  if (spec.contains("serviceAccountName")) preset(spec, "serviceAccount", spec["serviceAccountName"]);
  for (const auto* list : {"containers", "initContainers"}) {
    if (!spec.contains(list) || !spec[list].is_array()) continue;
    for (auto& container : spec[list]) default_container(container);
  }
  if (!spec.contains("volumes") || !spec["volumes"].is_array()) return;
  for (auto& volume : spec["volumes"]) default_volume(volume);
}

void default_template(Json& spec) {
  if (spec.contains("template")) default_pod_spec(spec["template"]["spec"]);
}

void default_workload(const std::string& kind, Json& spec) {
  static const auto deployment = parse_yaml_one(
      "{replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {type: RollingUpdate}}");
  static const auto rolling = parse_yaml_one("{maxSurge: 25%, maxUnavailable: 25%}");
  static const auto stateful_set = parse_yaml_one(
      "{replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: OrderedReady, updateStrategy: {type: "
      "RollingUpdate}, persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}}");
  static const auto daemon_set = parse_yaml_one("{revisionHistoryLimit: 10, updateStrategy: {type: RollingUpdate}}");
  if (kind == "Deployment") {
    fill_in(spec, deployment);
    if (string_at(spec, "strategy.type") == "RollingUpdate") {
      preset(spec["strategy"], "rollingUpdate", Json::object());
      fill_in(spec["strategy"]["rollingUpdate"], rolling);
    }
  } else if (kind == "StatefulSet") {
    fill_in(spec, stateful_set);
    if (string_at(spec, "updateStrategy.type") == "RollingUpdate")
      preset(spec["updateStrategy"], "rollingUpdate", {{"partition", 0}});
  } else if (kind == "DaemonSet") {
    fill_in(spec, daemon_set);
    if (string_at(spec, "updateStrategy.type") == "RollingUpdate")
      preset(spec["updateStrategy"], "rollingUpdate", {{"maxSurge", 0}, {"maxUnavailable", 1}});
  } else {
    preset(spec, "replicas", 1);
  }
  default_template(spec);
}

void default_job(Json& object) {
  static const auto defaults = parse_yaml_one(
      "{parallelism: 1, completions: 1, backoffLimit: 6, completionMode: NonIndexed, suspend: false, "
      "podReplacementPolicy: TerminatingOrFailed}");
  auto& spec = object["spec"];
  fill_in(spec, defaults);
  default_template(spec);
  if (bool_at(spec, "manualSelector") || spec.contains("selector")) return;
  // A Job's pods are told from others by its uid.
  const auto uid = string_at(object, "metadata.uid"), name = string_at(object, "metadata.name");
  spec["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] = uid;
  for (const auto* prefix : {"", "batch.kubernetes.io/"}) {
    auto& labels = spec["template"]["metadata"]["labels"];
    labels[std::string(prefix) + "controller-uid"] = uid;
    labels[std::string(prefix) + "job-name"] = name;
  }
}

void default_cron_job(Json& spec) {
  static const auto defaults = parse_yaml_one(
      "{suspend: false, concurrencyPolicy: Allow, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1}");
  fill_in(spec, defaults);
  if (find(spec, "jobTemplate.spec") != nullptr) default_template(spec["jobTemplate"]["spec"]);
}

void default_secret(Json& object) {
  preset(object, "type", "Opaque");
  for (const auto& [key, value] : object_at(object, "stringData").items()) {
    if (value.is_string()) object["data"][key] = base64_encode(value.get<std::string>());
  }
  object.erase("stringData");
}

void default_namespace(Json& object) {
  object["metadata"]["labels"]["kubernetes.io/metadata.name"] = object["metadata"]["name"];
  if (string_at(object, "metadata.deletionTimestamp").empty())
    object["spec"]["finalizers"] = Json::array({"kubernetes"});
  if (string_at(object, "status.phase").empty()) object["status"]["phase"] = "Active";
}

/// A definition is established at once.
void default_definition(Json& object) {
  auto& spec = object["spec"];
  preset(spec, "conversion", {{"strategy", "None"}});
  auto& names = spec["names"];
  const auto kind = string_at(names, "kind");
  preset(names, "listKind", kind + "List");
  preset(names, "singular", to_lower(kind));
  Json conditions = Json::array();
  for (const auto& [type, reason, message] :
       {std::tuple{"NamesAccepted", "NoConflicts", "no conflicts found"},
        std::tuple{"Established", "InitialNamesAccepted", "the initial names have been accepted"}}) {
    conditions.push_back({{"type", type},
                          {"status", "True"},
                          {"reason", reason},
                          {"message", message},
                          {"lastTransitionTime", string_at(object, "metadata.creationTimestamp")}});
  }
  object["status"] = {{"conditions", conditions}, {"acceptedNames", names}, {"storedVersions", Json::array()}};
  for (const auto& version : array_at(object, "spec.versions")) {
    if (bool_at(version, "storage")) object["status"]["storedVersions"].push_back(string_at(version, "name"));
  }
}

void default_role_binding(Json& object) {
  constexpr auto group = "rbac.authorization.k8s.io";
  if (object.contains("roleRef")) preset(object["roleRef"], "apiGroup", group);
  if (!object.contains("subjects") || !object["subjects"].is_array()) return;
  for (auto& subject : object["subjects"]) {
    if (string_at(subject, "kind") != "ServiceAccount") preset(subject, "apiGroup", group);
  }
}

}  // namespace

void set_defaults(const Resource& resource, Json& object, Rng& rng) {
  const auto& kind = resource.type.kind;
  if (kind == "Namespace") {
    default_namespace(object);
  } else if (kind == "Service") {
    default_service(object, rng);
  } else if (kind == "Secret") {
    default_secret(object);
  } else if (kind == "Pod") {
    default_pod_spec(object["spec"]);
    if (string_at(object, "status.phase").empty()) object["status"]["phase"] = "Pending";
  } else if (kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet" || kind == "DaemonSet" ||
             kind == "ReplicationController") {
    default_workload(kind, object["spec"]);
  } else if (kind == "Job") {
    default_job(object);
  } else if (kind == "CronJob") {
    default_cron_job(object["spec"]);
  } else if (kind == "PersistentVolumeClaim") {
    preset(object["spec"], "volumeMode", "Filesystem");
    if (string_at(object, "status.phase").empty()) object["status"]["phase"] = "Pending";
  } else if (kind == "PersistentVolume") {
    preset(object["spec"], "persistentVolumeReclaimPolicy", "Retain");
    preset(object["spec"], "volumeMode", "Filesystem");
  } else if (kind == "StorageClass") {
    preset(object, "reclaimPolicy", "Delete");
    preset(object, "volumeBindingMode", "Immediate");
  } else if (kind == "RoleBinding" || kind == "ClusterRoleBinding") {
    default_role_binding(object);
  } else if (kind == "CustomResourceDefinition") {
    default_definition(object);
  }
}

void keep_allocations(const Resource& resource, const Json& before, Json& after) {
  if (resource.type.kind != "Service" || string_at(after, "spec.type") == "ExternalName") return;
  auto& spec = after["spec"];
  for (const auto* field : {"clusterIP", "clusterIPs"}) {
    const auto* chosen = member(object_at(before, "spec"), field);
    if (chosen != nullptr && !spec.contains(field)) spec[field] = *chosen;
  }
  if (!spec.contains("ports") || !spec["ports"].is_array()) return;
  for (auto& port : spec["ports"]) {
    for (const auto& old : array_at(before, "spec.ports")) {
      const bool kept = old.contains("nodePort") && int_at(old, "port") == int_at(port, "port");
      if (kept && string_at(spec, "type") != "ClusterIP") preset(port, "nodePort", old["nodePort"]);
    }
  }
}

}  // namespace mtc::sandbox
