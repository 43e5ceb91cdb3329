#include "backup/asked_ports.hpp"

#include "base/error.hpp"
#include "json/json.hpp"
#include "kube/resource.hpp"

namespace mtc::backup {
namespace {

/// The key of a port in managedFields: "k:{"port":80,"protocol":"TCP"}".
std::string field_key(const Json& port) {
  auto protocol = string_at(port, "protocol");
  if (protocol.empty()) protocol = "TCP";
  return "k:" + dump(Json{{"port", int_at(port, "port").value_or(0)}, {"protocol", protocol}});
}

Json last_applied(const Json& service) {
  try {
    return parse_json(kube::annotation(service, "kubectl.kubernetes.io/last-applied-configuration"));
  } catch (const Error&) {  // absent, or somebody else's text
    return Json::object();
  }
}

}  // namespace

AskedPorts::AskedPorts(const Json& service) {
  learn_applied(last_applied(service));
  learn_owned(service);
}

bool AskedPorts::node_port(const Json& port) const {
  const auto name = string_at(port, "name");
  return name.empty() ? numbers_.contains(int_at(port, "nodePort").value_or(0)) : names_.contains(name);
}

void AskedPorts::learn_applied(const Json& applied) {
  for (const auto& port : array_at(applied, "spec.ports")) {
    const auto number = int_at(port, "nodePort").value_or(0);
    if (number == 0) continue;
    numbers_.insert(number);
    names_.insert(string_at(port, "name"));
  }
  health_check_ = int_at(applied, "spec.healthCheckNodePort").value_or(0) > 0;
}

void AskedPorts::learn_owned(const Json& service) {
  for (const auto& manager : array_at(service, "metadata.managedFields")) {
    const auto& spec = object_at(object_at(manager, "fieldsV1"), "f:spec");
    if (spec.contains("f:healthCheckNodePort")) health_check_ = true;
    const auto& ports = object_at(spec, "f:ports");
    for (const auto& port : array_at(service, "spec.ports")) {
      const auto* owned = member(ports, field_key(port));
      if (owned == nullptr || member(*owned, "f:nodePort") == nullptr) continue;
      numbers_.insert(int_at(port, "nodePort").value_or(0));
      names_.insert(string_at(port, "name"));
    }
  }
}

}  // namespace mtc::backup
