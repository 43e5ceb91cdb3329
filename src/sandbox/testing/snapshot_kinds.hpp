#pragma once

#include <string>

#include <fmt/format.h>

#include "json/yaml.hpp"
#include "kube/client.hpp"
#include "kube/follow.hpp"

namespace mtc::sandbox::testing {

/// Applies the definitions of snapshot.storage.k8s.io/v1, as far as anybody looks at them.
inline Task<void> serve_snapshots(kube::ClientPtr client) {
  for (const auto& type : {kube::types::volume_snapshots(), kube::types::volume_snapshot_contents(),
                           kube::types::volume_snapshot_classes()}) {
    auto definition = parse_yaml_one(
        "{spec: {versions: [{name: v1, served: true, storage: true, subresources: {status: {}}, schema: "
        "{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}");
    definition["metadata"] = {
        {"name", type.group_resource()},
        {"annotations", {{"api-approved.kubernetes.io", "https://github.com/kubernetes-csi/external-snapshotter"}}}};
    definition["spec"]["group"] = type.group;
    definition["spec"]["names"] = {{"plural", type.plural}, {"kind", type.kind}, {"listKind", type.kind + "List"}};
    definition["spec"]["scope"] = type.namespaced ? "Namespaced" : "Cluster";
    co_await client->create(kube::types::custom_resource_definitions(), std::move(definition));
    const auto established = [](const std::optional<Json>& object) {
      return object && dump(object_at(*object, "status")).contains("Established");
    };
    co_await kube::wait_until(client, kube::types::custom_resource_definitions(), {"", type.group_resource()},
                              std::chrono::seconds(10), established);
  }
}

inline Json snapshot_class(const std::string& name, const std::string& driver) {
  return {{"metadata", {{"name", name}}}, {"driver", driver}, {"deletionPolicy", "Delete"}};
}

}  // namespace mtc::sandbox::testing
