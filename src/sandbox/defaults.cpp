#include <fmt/format.h>

#include "base/encoding.hpp"
#include "sandbox/objects.hpp"

namespace mtc::sandbox {
namespace {

void preset(Json& object, const char* field, Json value) {
  if (!object.contains(field)) object[field] = std::move(value);
}

void default_service(Json& object, Rng& rng) {
  auto& spec = object["spec"];
  preset(spec, "type", "ClusterIP");
  preset(spec, "sessionAffinity", "None");
  if (string_at(spec, "type") != "ExternalName" && string_at(spec, "clusterIP").empty()) {
    spec["clusterIP"] = fmt::format("10.96.{}.{}", rng.below(256), 1 + rng.below(254));
  }
  if (!string_at(spec, "clusterIP").empty()) preset(spec, "clusterIPs", Json::array({spec["clusterIP"]}));
  if (!spec.contains("ports") || !spec["ports"].is_array()) return;
  const bool node_ports = string_at(spec, "type") == "NodePort" || string_at(spec, "type") == "LoadBalancer";
  for (auto& port : spec["ports"]) {
    preset(port, "protocol", "TCP");
    if (port.contains("port")) preset(port, "targetPort", port["port"]);
    if (node_ports) preset(port, "nodePort", 30000 + static_cast<std::int64_t>(rng.below(2768)));
  }
}

void default_pod_spec(Json& spec) {
  preset(spec, "restartPolicy", "Always");
  preset(spec, "dnsPolicy", "ClusterFirst");
  preset(spec, "terminationGracePeriodSeconds", 30);
  preset(spec, "schedulerName", "default-scheduler");
  preset(spec, "securityContext", Json::object());
}

void default_secret(Json& object) {
  preset(object, "type", "Opaque");
  for (const auto& [key, value] : object_at(object, "stringData").items()) {
    if (value.is_string()) object["data"][key] = base64_encode(value.get<std::string>());
  }
  object.erase("stringData");
}

}  // namespace

void set_defaults(const Resource& resource, Json& object, Rng& rng) {
  const auto& kind = resource.type.kind;
  if (resource.custom) return;
  if (kind == "Namespace") {
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = object["metadata"]["name"];
    if (string_at(object, "metadata.deletionTimestamp").empty())
      object["spec"]["finalizers"] = Json::array({"kubernetes"});
    if (string_at(object, "status.phase").empty()) object["status"]["phase"] = "Active";
  } else if (kind == "Service") {
    default_service(object, rng);
  } else if (kind == "Secret") {
    default_secret(object);
  } else if (kind == "Pod") {
    default_pod_spec(object["spec"]);
    if (string_at(object, "status.phase").empty()) object["status"]["phase"] = "Pending";
  } else if (kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet" || kind == "ReplicationController") {
    preset(object["spec"], "replicas", 1);
    if (object["spec"].contains("template")) default_pod_spec(object["spec"]["template"]["spec"]);
  } else if (kind == "Job") {
    preset(object["spec"], "parallelism", 1);
    preset(object["spec"], "completions", 1);
  } else if (kind == "CronJob") {
    preset(object["spec"], "suspend", false);
  } else if (kind == "CustomResourceDefinition") {
    const auto name = string_at(object, "spec.names.plural");
    Json conditions = Json::array();
    for (const auto* type : {"NamesAccepted", "Established"})
      conditions.push_back({{"type", type}, {"status", "True"}, {"reason", "InitialNamesAccepted"}});
    object["status"] = {{"conditions", conditions},
                        {"acceptedNames", object_at(object, "spec.names")},
                        {"storedVersions", Json::array()}};
    for (const auto& version : array_at(object, "spec.versions")) {
      if (bool_at(version, "storage")) object["status"]["storedVersions"].push_back(string_at(version, "name"));
    }
  }
}

}  // namespace mtc::sandbox
