#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/condition.hpp"
#include "async/runtime.hpp"
#include "json/yaml.hpp"
#include "plan/checks.hpp"
#include "sandbox/cluster.hpp"

namespace mtc::plan_testing {

using plan::PlanWorld;
using plan::Settings;

/// One embedded cluster that is source and destination at once, and what the checks say of a plan on it.
class World {
 public:
  explicit World(sandbox::Cluster* cluster) : client(cluster->client()), conditions(Json(), system_clock()) {
    plan.uid = "plan-uid";
    plan.namespaces = {{"shop", "boutique"}};
    plan.indirect_images = plan.indirect_volumes = true;
    world.source_client = world.destination_client = client;
    world.source = world.destination = parse_yaml_one("{kind: MigCluster, metadata: {name: c, namespace: ns}}");
    world.settings = Settings::from([](const char*) { return nullptr; });
  }
  /// In namespace shop unless the object names another.
  Task<void> create(kube::ResourceType type, std::string yaml) {
    auto object = parse_yaml_one(yaml);
    if (type.namespaced && !object["metadata"].contains("namespace")) object["metadata"]["namespace"] = "shop";
    co_await client->create(type, std::move(object));
  }
  /// "Type reason: message" of each condition.
  std::vector<std::string> said() const {
    std::vector<std::string> out;
    for (const auto& c : conditions.current()) out.push_back(c.type + " " + c.reason + ": " + c.message);
    return out;
  }

  kube::ClientPtr client;
  api::MigPlan plan;
  PlanWorld world;
  api::Conditions conditions;
};

inline void on_cluster(std::function<Task<void>(World*)> body) {
  async::Runtime().run([](std::function<Task<void>(World*)> run) -> Task<void> {
    const auto cluster = co_await sandbox::Cluster::start({.run_workloads = false});
    World world(cluster.get());
    co_await world.create(kube::types::namespaces(), "{metadata: {name: shop}}");
    co_await run(&world);
    co_await cluster->stop();
  }(std::move(body)));
}

}  // namespace mtc::plan_testing
