#include "migrate/volumes/endpoints.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mtc::migrate::volumes {
namespace {

constexpr std::size_t kNodes = 3;

std::string endpoint(const std::string& host, std::int64_t port) {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string internal_ip(const Json& node) {
  for (const auto& address : array_at(node, "status.addresses")) {
    if (string_at(address, "type") == "InternalIP") return string_at(address, "address");
  }
  return "";
}

bool is_ready(const Json& node) {
  return std::ranges::any_of(array_at(node, "status.conditions"), [](const Json& condition) {
    return string_at(condition, "type") == "Ready" && string_at(condition, "status") == "True";
  });
}

/// Addresses of nodes, the receiver's own first: there no further hop is needed.
std::vector<std::string> node_addresses(const std::vector<Json>& nodes, const std::string& own) {
  std::vector<std::string> out;
  const auto take = [&](bool receivers) {
    for (const auto& node : nodes) {
      const bool is_own = kube::key_of(node).name == own;
      const auto ip = internal_ip(node);
      if (is_own == receivers && (is_own || is_ready(node)) && !ip.empty() && out.size() < kNodes) out.push_back(ip);
    }
  };
  take(true);
  take(false);
  return out;
}

}  // namespace

Json service_of(const Copying& c, const api::ClaimCopy& claim, const std::string& endpoint_type) {
  const bool is_type = endpoint_type == "ClusterIP" || endpoint_type == "LoadBalancer";
  const auto name = service_name(c, claim);
  const Json port = {{"name", "mover"}, {"port", kPort}, {"targetPort", kPort}, {"protocol", "TCP"}};
  auto labels = helper_labels(c);
  labels["purpose"] = "rsync";
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", {{"namespace", claim.target.ns}, {"name", name}, {"labels", std::move(labels)}}},
          {"spec",
           {{"type", is_type ? endpoint_type : "NodePort"},
            {"selector", receiver_selector(c, claim)},
            {"ports", Json::array({port})}}}};
}

bool has_address(const Json& service) {
  if (string_at(service, "spec.type") != "LoadBalancer") return true;
  return std::ranges::any_of(array_at(service, "status.loadBalancer.ingress"), [](const Json& ingress) {
    return !string_at(ingress, "ip").empty() || !string_at(ingress, "hostname").empty();
  });
}

std::vector<std::string> addresses(const Json& receiver, const Json& service, const std::vector<Json>& nodes,
                                   bool same_cluster) {
  std::vector<std::string> out;
  if (const auto ip = string_at(receiver, "status.podIP"); !ip.empty()) out.push_back(endpoint(ip, kPort));
  const auto cluster_ip = string_at(service, "spec.clusterIP");
  if (same_cluster && !cluster_ip.empty() && cluster_ip != "None") out.push_back(endpoint(cluster_ip, kPort));
  for (const auto& ingress : array_at(service, "status.loadBalancer.ingress")) {
    const auto ip = string_at(ingress, "ip");
    const auto host = ip.empty() ? string_at(ingress, "hostname") : ip;
    if (!host.empty()) out.push_back(endpoint(host, kPort));
  }
  for (const auto& port : array_at(service, "spec.ports")) {
    const auto number = int_at(port, "nodePort").value_or(0);
    if (number == 0) continue;
    for (const auto& ip : node_addresses(nodes, string_at(receiver, "spec.nodeName")))
      out.push_back(endpoint(ip, number));
  }
  return out;
}

}  // namespace mtc::migrate::volumes
