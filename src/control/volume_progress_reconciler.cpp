#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "api/volume_migration.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "control/reconcilers.hpp"
#include "json/json.hpp"
#include "migrate/volumes/progress.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::control {
namespace {

using enum api::Category;
constexpr auto kWhileItRuns = std::chrono::seconds(2);  ///< a log tells nobody that it has grown

class VolumeProgressReconciler final : public Reconciler {
 public:
  explicit VolumeProgressReconciler(Parts parts) : parts_(std::move(parts)) {}

  const std::string& kind() const override {
    static const std::string name = api::kDirectVolumeMigrationProgress;
    return name;
  }

  Task<Result> reconcile(kube::ObjectKey key) override {
    auto pass = co_await Pass::begin(parts_.services, types::volume_progresses(), key);
    if (!pass || kube::is_being_deleted(pass->object())) co_return Result::done();
    const auto self = api::VolumeProgress::parse(pass->object());
    auto& conditions = pass->conditions();
    co_await validate(self, &conditions);
    Result result;
    if (!conditions.blocked()) result = co_await observe(&*pass, self);
    conditions.set_ready(!conditions.blocked(), "The progress is available");
    co_await pass->finish(parts_.recorder);
    co_return result;
  }

 private:
  static void critical(api::Conditions* conditions, std::string type, std::string reason, std::string message) {
    conditions->set(
        {.type = std::move(type), .category = kCritical, .reason = std::move(reason), .message = std::move(message)});
  }

  /// Spec conditions.md §11.
  Task<void> validate(api::VolumeProgress self, api::Conditions* conditions) {
    if (!self.cluster.set()) {
      critical(conditions, "InvalidClusterRef", "NotSet", "The `clusterRef` must name a MigCluster and its namespace.");
    } else {
      const auto cluster =
          co_await parts_.services->host->get(types::mig_clusters(), {self.cluster.ns, self.cluster.name});
      if (!cluster) {
        critical(conditions, "InvalidClusterRef", "NotFound",
                 fmt::format("The `clusterRef` must name a MigCluster that exists, subject: {}.", self.cluster.str()));
      } else if (!api::has_condition(*cluster, "Ready")) {
        critical(conditions, "ClusterNotReady", "NotReady",
                 fmt::format("The referenced MigCluster is not ready, subject: {}.", self.cluster.str()));
      }
    }
    if (self.pod.set()) co_return;
    if (self.selector.empty() || self.pod_namespace.empty()) {
      critical(conditions, "InvalidSpec", "NotSet",
               "Either `podRef`, or `podSelector` and `podNamespace` must say whose progress it is.");
    } else if (!self.selector.contains(api::labels::kCreatedForClaim)) {
      critical(conditions, "InvalidPodSelector", "NotSet",
               fmt::format("The `podSelector` must hold the label {}.", api::labels::kCreatedForClaim));
    }
  }

  static std::string selector_of(const api::VolumeProgress& self) {
    std::vector<std::string> terms;
    terms.reserve(self.selector.size());
    for (const auto& [key, value] : self.selector) terms.push_back(fmt::format("{}={}", key, value));
    return join(terms, ",");
  }

  static Interest interest_of(const kube::ClientPtr& cluster, const api::VolumeProgress& self) {
    if (self.pod.set()) return {cluster, kube::types::pods(), self.pod.ns, "", "metadata.name=" + self.pod.name};
    return {cluster, kube::types::pods(), self.pod_namespace, selector_of(self), ""};
  }

  Task<std::vector<Json>> pods_of(kube::ClientPtr cluster, api::VolumeProgress self) {
    if (!self.pod.set()) {
      const kube::ListOptions attempts{.label_selector = selector_of(self)};
      co_return co_await kube::list_all(*cluster, kube::types::pods(), self.pod_namespace, attempts);
    }
    std::vector<Json> out;
    if (auto pod = co_await cluster->get(kube::types::pods(), {self.pod.ns, self.pod.name})) out.push_back(*pod);
    co_return out;
  }

  Task<Result> observe(Pass* pass, api::VolumeProgress self) {
    const auto cluster = co_await parts_.connections->cluster(self.cluster);
    const auto pods = co_await pods_of(cluster, self);
    const auto* pod = migrate::volumes::newest(pods);
    if (pod == nullptr && self.pod.set()) {
      critical(&pass->conditions(), "InvalidPod", "NotFound",
               fmt::format("The `podRef` must name a Pod that exists, subject: {}.", self.pod.str()));
    }
    const auto log = pod == nullptr ? "" : co_await log_of(cluster, *pod);
    auto& status = pass->object()["status"];
    status = migrate::volumes::progress_status(status, pods, log, parts_.services->clock->now());
    if (pod == nullptr && co_await is_over(pass->object())) co_return Result::done();
    co_await mark_taken(cluster, pods);
    Result result;
    result.wake_on.push_back(interest_of(cluster, self));
    if (string_at(status, "phase") == "Running" && pod != nullptr) result.again_after = kWhileItRuns;
    co_return result;
  }

  /// The end of the log; "" if it cannot be read, as that of a pod on a lost node: its state is known without.
  Task<std::string> log_of(kube::ClientPtr cluster, Json pod) {
    const auto phase = string_at(pod, "status.phase");
    if (phase == "Pending" || phase.empty()) co_return "";
    std::optional<std::string> log;
    try {
      log = co_await cluster->log(kube::key_of(pod),
                                  {.container = plan::kMoverContainer, .tail_lines = 5, .limit_bytes = 256 * 1024});
    } catch (const Error&) {  // as said
      co_return "";
    }
    co_return log.value_or("");
  }

  /// Whether the DirectVolumeMigration that it belongs to has ended or is gone: no pod comes any more.
  Task<bool> is_over(Json object) {
    for (const auto& owner : array_at(object, "metadata.ownerReferences")) {
      if (string_at(owner, "kind") != api::kDirectVolumeMigration) continue;
      const auto migration = co_await parts_.services->host->get(types::direct_volume_migrations(),
                                                                 {api::kNamespace, string_at(owner, "name")});
      co_return !migration || string_at(*migration, "status.phase") == "Completed";
    }
    co_return false;
  }

  /// Pods that have ended and whose progress is on record: they may go.
  Task<void> mark_taken(kube::ClientPtr cluster, std::vector<Json> pods) {
    for (const auto& pod : pods) {
      const auto phase = string_at(pod, "status.phase");
      if (phase != "Succeeded" && phase != "Failed") continue;
      if (!kube::label(pod, api::labels::kProgressTaken).empty()) continue;
      const Json patch = {{"metadata", {{"labels", {{api::labels::kProgressTaken, "True"}}}}}};
      try {
        co_await cluster->patch(kube::types::pods(), kube::key_of(pod), kube::PatchKind::kMerge, patch);
      } catch (const Error& error) {
        if (error.code() != Code::kNotFound) throw;  // it has gone already
      }
    }
  }

  Parts parts_;
};

}  // namespace

std::shared_ptr<Reconciler> make_volume_progress_reconciler(Parts parts) {
  return std::make_shared<VolumeProgressReconciler>(std::move(parts));
}

}  // namespace mtc::control
