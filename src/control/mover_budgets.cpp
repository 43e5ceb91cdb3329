#include "control/mover_budgets.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "migrate/volumes/mover_report.hpp"
#include "plan/cluster_settings.hpp"
#include "plan/types.hpp"

namespace mtc::control {
namespace {

namespace volumes = migrate::volumes;
using volumes::Bounds;

constexpr auto kEvery = std::chrono::seconds(3);
constexpr auto kUnanswered = std::chrono::seconds(10);  ///< a cluster that takes longer is passed over
constexpr std::size_t kAtOnce = 8;                      ///< movers that are asked, or told

/// A mover at work.
struct Mover {
  kube::ClientPtr cluster;
  Json pod;
  volumes::Consumer consumer;
};

std::string annotation_of(const Json& pod) {
  const auto* value = member(object_at(pod, "metadata.annotations"), api::annotations::kBudget);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

/// Every pod that heeds a budget, and has not ended.
bool is_at_work(const Json& pod) {
  const auto phase = string_at(pod, "status.phase");
  return !annotation_of(pod).empty() && phase != "Succeeded" && phase != "Failed" && !kube::is_being_deleted(pod);
}

volumes::Consumer consumer_of(const Json& pod) {
  volumes::Consumer out;
  const auto& labels = object_at(pod, "metadata.labels");
  for (const auto* label : {api::labels::kDirectVolumeMigration, api::labels::kMigration}) {
    if (const auto* value = member(labels, label); value != nullptr && value->is_string())
      out.migration = value->get<std::string>();
  }
  const auto args = strings_at(array_at(pod, "spec.containers").at(0), "args");
  out.reads = args.size() > 1 && args[1] != "restore";
  return out;
}

Task<void> find_movers_of(kube::ClientPtr cluster, std::vector<Mover>* into) {
  const kube::ListOptions ours{.label_selector = fmt::format("{}={}", api::labels::kPartOf, api::kNamespace)};
  for (auto& pod : co_await kube::list_all(*cluster, kube::types::pods(), "", ours)) {
    if (!is_at_work(pod)) continue;
    auto consumer = consumer_of(pod);
    into->push_back({cluster, std::move(pod), std::move(consumer)});
  }
}

/// What a mover says that it moves, beside what it may.
Task<void> ask(Mover* mover) {
  const auto share = volumes::bounds_of(annotation_of(mover->pod)).bytes_per_second;
  const auto report = co_await volumes::last_report(mover->cluster, kube::key_of(mover->pod));
  if (report) mover->consumer.bytes_per_second = volumes::demand_of(volumes::rate_of(report->rate), share);
}

/// Small changes are not worth a write.
bool is_near(double one, double other) { return std::abs(one - other) <= 0.05 * std::max(one, other); }
bool is_near(const Bounds& one, const Bounds& other) {
  return (one.bytes_per_second > 0) == (other.bytes_per_second > 0) && (one.iops > 0) == (other.iops > 0) &&
         is_near(one.bytes_per_second, other.bytes_per_second) && is_near(one.iops, other.iops);
}

Task<void> tell(const Mover* mover, Bounds share) {
  if (is_near(volumes::bounds_of(annotation_of(mover->pod)), share)) co_return;
  const Json annotations = {{api::annotations::kBudget, volumes::annotation_of(share)}};
  co_await mover->cluster->patch(kube::types::pods(), kube::key_of(mover->pod), kube::PatchKind::kMerge,
                                 {{"metadata", {{"annotations", annotations}}}});
}

class Keeper {
 public:
  Keeper(plan::Connections* connections, volumes::NewcomersBudget* newcomers)
      : connections_(*connections), newcomers_(*newcomers) {}

  /// Divides anew. What fails is warned of once, as long as it goes on failing.
  Task<void> look() {
    failures_.clear();
    try {
      co_await divide_anew();
    } catch (const Error& error) {
      failures_.emplace(error.what());
    }
    for (const auto& failure : failures_) {
      if (!told_.contains(failure)) log::warn("mover budgets", {{"error", failure}});
    }
    told_ = failures_;
  }

 private:
  Task<void> divide_anew() {
    const auto settings =
        co_await connections_.host()->get(kube::types::config_maps(), {api::kNamespace, plan::kClusterSettings});
    const auto total = volumes::bounds_in(settings ? *settings : Json());
    // A bound that was taken away frees those who had it.
    if (!total.any() && !total_.any()) co_return;
    auto movers = co_await find_movers();
    co_await for_each(movers.size(), [&](std::size_t i) { return ask(&movers[i]); });
    co_await divide(total, &movers);
    if (!total.any() && !failures_.empty()) co_return;  // who was not told is still bound: once more
    if (std::exchange(total_, total) != total) log::info("movers may use", {{"budget", volumes::annotation_of(total)}});
  }

  Task<std::vector<Mover>> find_movers() {
    std::vector<Mover> out;
    const auto clusters = co_await kube::list_all(*connections_.host(), plan::types::mig_clusters(), "");
    co_await async::parallel_for(clusters.size(), kAtOnce, [&](std::size_t i) {
      return attempt(find_movers_at(api::MigCluster::parse(clusters[i]), &out),
                     "list the movers of MigCluster " + kube::key_of(clusters[i]).str());
    });
    // Two MigClusters may be one cluster.
    std::set<std::string> seen;
    std::erase_if(out, [&](const Mover& mover) { return !seen.insert(kube::uid_of(mover.pod)).second; });
    co_return out;
  }

  Task<void> find_movers_at(api::MigCluster cluster, std::vector<Mover>* into) {
    const auto client = co_await connections_.cluster(std::move(cluster));
    co_await async::with_timeout(kUnanswered, "list its pods", find_movers_of(client, into));
  }

  Task<void> divide(Bounds total, std::vector<Mover>* movers) {
    std::vector<volumes::Consumer> consumers;
    for (const auto& mover : *movers) consumers.push_back(mover.consumer);
    auto shares = volumes::shares_of(total, consumers);
    const auto& all = *movers;
    co_await for_each(all.size(), [&](std::size_t i) { return tell(&all[i], shares[i]); });
    consumers.emplace_back();  // whoever comes next is of a migration that has none yet
    newcomers_.annotation = volumes::annotation_of(volumes::shares_of(total, consumers).back());
  }

  template <typename Each>
  Task<void> for_each(std::size_t count, Each each) {
    co_await async::parallel_for(count, kAtOnce,
                                 [&](std::size_t i) { return attempt(each(i), "tell a mover its budget"); });
  }

  /// What fails is of this cluster or pod alone, and is done the next time; a pod that has gone needs nothing.
  Task<void> attempt(Task<void> work, std::string what) {
    try {
      co_await std::move(work);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) failures_.insert(what + ": " + error.what());
    }
  }

  plan::Connections& connections_;
  volumes::NewcomersBudget& newcomers_;
  Bounds total_;                           ///< as all were told last
  std::set<std::string> failures_, told_;  ///< of this look, and of the one before
};

}  // namespace

Task<void> keep_mover_budgets(plan::Connections* connections, volumes::NewcomersBudget* newcomers) {
  Keeper keeper(connections, newcomers);
  for (;;) {
    co_await keeper.look();
    co_await async::sleep_for(kEvery);
  }
}

}  // namespace mtc::control
