#include "app/demo_shop.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "cli/table.hpp"
#include "json/yaml.hpp"
#include "kube/follow.hpp"

namespace mtc::app {
namespace {

namespace fs = std::filesystem;
constexpr auto kOrders = "orders";  ///< the claim
constexpr int kOrderCount = 1000;
constexpr auto kLimit = std::chrono::seconds(60);

constexpr auto kCommon = R"(
{apiVersion: v1, kind: ServiceAccount, metadata: {name: shop}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader},
 rules: [{apiGroups: [''], resources: [configmaps], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: shop-reads},
 roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader},
 subjects: [{kind: ServiceAccount, name: shop, namespace: shop}]}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly-report},
 spec: {schedule: '0 2 * * *', jobTemplate: {spec: {template: {spec:
  {restartPolicy: Never, containers: [{name: report, image: shop/report}]}}}}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: orders},
 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}
)";

/// Of {0}: a Deployment of {1} pods that mounts {2}, its Service, settings and password.
constexpr auto kService = R"(
{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {0}, labels: {{app: {0}}}}},
 spec: {{replicas: {1}, selector: {{matchLabels: {{app: {0}}}}}, template: {{metadata: {{labels: {{app: {0}}}}},
  spec: {{serviceAccountName: shop, containers: [{{name: {0}, image: 'shop/{0}:1.4'}}], volumes: [{2}]}}}}}}}}
---
{{apiVersion: v1, kind: Service, metadata: {{name: {0}}},
 spec: {{selector: {{app: {0}}}, ports: [{{port: 80, targetPort: 8080}}]}}}}
---
{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {0}-settings}}, data: {{log: info, region: west}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: {0}-password}}, stringData: {{password: correct-horse}}}}
)";

std::vector<Json> application() {
  constexpr auto kMount = "{name: orders, persistentVolumeClaim: {claimName: orders}}";
  auto out = parse_yaml(kCommon);
  for (const auto& [name, replicas] : std::map<std::string, int>{{"web", 3}, {"cart", 2}, {"payment", 2}}) {
    for (auto& object : parse_yaml(fmt::format(kService, name, replicas, name == "payment" ? kMount : "")))
      out.push_back(std::move(object));
  }
  return out;
}

Task<void> install(kube::ClientPtr cluster) {
  co_await cluster->create(kube::types::namespaces(), {{"metadata", {{"name", kShop}}}});
  const auto discovery = co_await cluster->discovery();
  for (auto& object : application()) {
    object["metadata"]["namespace"] = kShop;
    const auto api_version = string_at(object, "apiVersion");
    const auto slash = api_version.find('/');
    const auto* kind =
        discovery->find_kind(slash == std::string::npos ? "" : api_version.substr(0, slash), string_at(object, "kind"));
    if (kind == nullptr) throw Error(Code::kInternal, "the embedded cluster does not serve " + api_version);
    co_await cluster->create(kind->type, object);
  }
}

/// The directory that is the shop's volume on this cluster, if it is there already.
Task<std::optional<fs::path>> volume_folder(kube::ClientPtr cluster) {
  const auto claim = co_await cluster->get(kube::types::persistent_volume_claims(), {kShop, kOrders});
  if (!claim) co_return std::nullopt;
  const auto volume =
      co_await cluster->get(kube::types::persistent_volumes(), {"", string_at(*claim, "spec.volumeName")});
  if (!volume) co_return std::nullopt;
  co_return fs::path(string_at(*volume, "spec.hostPath.path"));
}

Task<void> take_orders(kube::ClientPtr cluster) {
  const auto folder = co_await volume_folder(cluster);
  if (!folder) throw Error(Code::kInternal, "the claim of the shop has no volume");
  co_await async::offload([&] {
    for (int i = 0; i < kOrderCount; ++i) {
      const auto day = *folder / fmt::format("day-{:02}", i % 31 + 1);
      fs::create_directories(day);
      std::ofstream(day / fmt::format("order-{:04}.json", i))
          << fmt::format(R"({{"order": {}, "items": {}}})", i, i % 7 + 1);
    }
  });
}

Task<std::size_t> count_files(kube::ClientPtr cluster) {
  const auto folder = co_await volume_folder(std::move(cluster));
  if (!folder) co_return 0;
  co_return co_await async::offload([&] {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(*folder)) count += entry.is_regular_file() ? 1 : 0;
    return count;
  });
}

}  // namespace

Task<void> open_shop(kube::ClientPtr cluster) {
  co_await install(cluster);
  co_await wait_shop_open(cluster);
  co_await take_orders(cluster);
}

Task<void> wait_shop_open(kube::ClientPtr cluster) {
  for (const auto* name : {"web", "cart", "payment"}) {
    const bool running = co_await kube::wait_until(
        cluster, kube::types::deployments(), {kShop, name}, kLimit, [](const std::optional<Json>& object) {
          return object && int_at(*object, "status.readyReplicas") == int_at(*object, "spec.replicas");
        });
    if (!running) throw Error(Code::kTimeout, fmt::format("deployment {} does not come up", name));
  }
}

Task<std::string> inventory(kube::ClientPtr west, kube::ClientPtr east) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& type :
       {kube::types::deployments(), kube::types::pods(), kube::types::services(), kube::types::config_maps(),
        kube::types::secrets(), kube::types::service_accounts(), kube::types::roles(), kube::types::role_bindings(),
        kube::types::cron_jobs(), kube::types::persistent_volume_claims()}) {
    const auto there = co_await kube::list_all(*west, type, kShop), here = co_await kube::list_all(*east, type, kShop);
    rows.push_back({type.plural, std::to_string(there.size()), std::to_string(here.size())});
  }
  const auto there = co_await count_files(west), here = co_await count_files(east);
  rows.push_back({"files in its volume", std::to_string(there), std::to_string(here)});
  co_return cli::format_table({"SHOP", "WEST", "EAST"}, rows);
}

}  // namespace mtc::app
