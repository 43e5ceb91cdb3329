#include <utility>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "base/error.hpp"
#include "control/reconcilers.hpp"
#include "json/json.hpp"
#include "plan/checks.hpp"

namespace mtc::control {
namespace {

constexpr auto kLookAgain = std::chrono::minutes(5);       ///< a cluster that was fine may have gone
constexpr auto kLookAgainSoon = std::chrono::seconds(15);  ///< one that could not be reached may be back

class ClusterReconciler final : public Reconciler {
 public:
  explicit ClusterReconciler(Parts parts) : parts_(std::move(parts)) {}

  const std::string& kind() const override {
    static const std::string name = api::kMigCluster;
    return name;
  }

  Task<Result> reconcile(kube::ObjectKey key) override {
    auto pass = co_await Pass::begin(parts_.services, types::mig_clusters(), key);
    if (!pass) co_return Result::done();
    const auto cluster = api::MigCluster::parse(pass->object());
    std::optional<Error> failure;
    try {
      co_await plan::check_cluster(parts_.connections, cluster, &pass->conditions());
      if (!pass->conditions().blocked()) co_await prepare(cluster, &*pass);
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      co_await pass->finish_failed(parts_.recorder, failure->what());
      co_return Result::after(kLookAgainSoon);
    }
    pass->conditions().set_ready(!pass->conditions().blocked(), "The cluster is ready.");
    co_await pass->finish(parts_.recorder);
    if (cluster.is_host) co_return Result::done();
    co_return Result::after(pass->conditions().has("TestConnectFailed") ? Duration(kLookAgainSoon)
                                                                        : Duration(kLookAgain));
  }

 private:
  /// Nothing is installed on a cluster beforehand: the controller brings what it needs.
  Task<void> prepare(api::MigCluster cluster, Pass* pass) {
    const auto client = co_await parts_.connections->cluster(cluster);
    co_await plan::bootstrap(client);
    co_await plan::sweep_locations(parts_.connections, client);
    auto& status = pass->object()["status"];
    if (!status.is_object()) status = Json::object();
    auto registry = cluster.exposed_registry_path;
    if (const auto at = registry.find("//"); at != std::string::npos) registry.erase(0, at + 2);
    while (registry.ends_with('/')) registry.pop_back();
    if (registry.empty()) {
      status.erase("registryPath");
    } else {
      status["registryPath"] = registry;
    }
  }

  Parts parts_;
};

}  // namespace

std::shared_ptr<Reconciler> make_cluster_reconciler(Parts parts) {
  return std::make_shared<ClusterReconciler>(std::move(parts));
}

}  // namespace mtc::control
