#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "plan/testing/world.hpp"

namespace mtc::plan_testing {

/// A cluster with one storage class, and a plan that copies directly; its object is kept from pass to pass.
class Volumes {
 public:
  explicit Volumes(World* w) : world(w) { world->plan.indirect_volumes = false; }

  Task<void> prepare() {
    co_await world->client->remove_collection(kube::types::storage_classes(), "", {});
    co_await world->create(kube::types::namespaces(), "{metadata: {name: boutique}}");
    co_await world->create(kube::types::storage_classes(),
                           "{metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "
                           "'true'}}, provisioner: example.com/disk}");
  }

  /// A claim of the source and its volume, bound.
  Task<void> bound(std::string name, std::string more = "volumeMode: Filesystem",
                   std::string source = "csi: {driver: d, volumeHandle: h}") {
    const auto common = "accessModes: [ReadWriteOnce], storageClassName: standard, " + more;
    co_await world->create(kube::types::persistent_volumes(),
                           "{metadata: {name: pv-" + name +
                               "}, spec: {capacity: {storage: 1Gi}, claimRef: {namespace: "
                               "shop, name: " +
                               name + "}, " + source + ", " + common + "}}");
    co_await claim("shop", name, common + ", volumeName: pv-" + name);
    const Json status = {{"status", {{"phase", "Bound"}}}};
    co_await world->client->patch(kube::types::persistent_volumes(), {"", "pv-" + name}, kube::PatchKind::kMerge,
                                  status, {.subresource = "status"});
    co_await world->client->patch(kube::types::persistent_volume_claims(), {"shop", name}, kube::PatchKind::kMerge,
                                  status, {.subresource = "status"});
  }

  Task<void> claim(std::string ns, std::string name, std::string spec = "accessModes: [ReadWriteOnce]",
                   std::string labels = "") {
    co_await world->create(kube::types::persistent_volume_claims(),
                           "{metadata: {namespace: " + ns + ", name: " + name + ", labels: {" + labels + "}}, spec: {" +
                               "resources: {requests: {storage: 1Gi}}, " + spec + "}}");
  }

  /// What a user edits: the selection of the n-th volume, or all of its entry.
  void select(std::size_t n, std::string yaml) {
    object["spec"]["persistentVolumes"][n]["selection"].merge_patch(parse_yaml_one(yaml));
  }
  void edit(std::size_t n, std::string yaml) {
    object["spec"]["persistentVolumes"][n].merge_patch(parse_yaml_one(yaml));
  }

  /// One pass. Returns what it says beside PvsDiscovered, as "Type reason: message".
  Task<std::vector<std::string>> look() {
    api::Conditions conditions(Json(), system_clock());
    world->world.awaited.clear();
    world->world.growing.clear();
    auto looked_at = world->plan;
    looked_at.persistent_volumes = array_at(object, "spec.persistentVolumes");
    co_await plan::discover_volumes(looked_at, &world->world, &object, &conditions);
    looked_at.persistent_volumes = array_at(object, "spec.persistentVolumes");
    co_await plan::check_volumes(looked_at, &world->world, &conditions);
    blocked = conditions.blocked();
    EXPECT_TRUE(conditions.has("PvsDiscovered"));
    std::vector<std::string> said;
    for (const auto& c : conditions.current()) {
      if (c.type != "PvsDiscovered") said.push_back(c.type + " " + c.reason + ": " + c.message);
    }
    co_return said;
  }

  World* world;
  Json object = parse_yaml_one("{spec: {namespaces: [shop]}, status: {}}");
  bool blocked = false;
};

inline void on_volumes(std::function<Task<void>(Volumes*)> body) {
  on_cluster([body](World* w) {
    return [](std::function<Task<void>(Volumes*)> run, World* world) -> Task<void> {
      Volumes volumes(world);
      co_await volumes.prepare();
      co_await run(&volumes);
    }(body, w);
  });
}

}  // namespace mtc::plan_testing
