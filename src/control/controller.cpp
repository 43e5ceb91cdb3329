#include "control/controller.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "async/scope.hpp"
#include "base/log.hpp"
#include "control/leader.hpp"
#include "control/mover_budgets.hpp"
#include "control/reconcilers.hpp"
#include "control/runtime.hpp"
#include "json/json.hpp"
#include "plan/checks.hpp"

namespace mtc::control {
namespace {

using Keys = std::vector<kube::ObjectKey>;

/// What refers to what, learned from the objects as they pass by: "Secret x changed" becomes "look at MigCluster y".
class References {
 public:
  void learn(const std::string& kind, const kube::Change& change, const std::vector<api::Ref>& refs) {
    if (change.type == kube::Change::Type::kSynced) return;
    const auto key = kube::key_of(change.object);
    auto& mine = refs_[kind][key];
    mine = change.type == kube::Change::Type::kDeleted ? std::vector<api::Ref>{} : refs;
  }
  Keys owners(const std::string& kind, const kube::ObjectKey& target) const {
    Keys out;
    const auto at = refs_.find(kind);
    if (at == refs_.end()) return out;
    for (const auto& [key, refs] : at->second) {
      if (std::ranges::find(refs, api::Ref{target.ns, target.name}) != refs.end()) out.push_back(key);
    }
    return out;
  }

 private:
  std::map<std::string, std::map<kube::ObjectKey, std::vector<api::Ref>>> refs_;
};

/// Keeps `references` up to date. Registered before the reconcilers: that an object refers to another is known before
/// its own pass reads the other, so no later change of that one is missed.
void learn_references(Runtime& runtime, const kube::ClientPtr& host, const std::shared_ptr<References>& references) {
  const auto learn = [&](const kube::ResourceType& type, std::function<std::vector<api::Ref>(const Json&)> refs_of) {
    auto note = [references, kind = type.kind, refs_of](const kube::Change& change) {
      references->learn(kind, change, refs_of(change.object));
      return Keys{};
    };
    runtime.watch(host, type, api::kNamespace, type.kind, std::move(note));
  };
  learn(types::mig_clusters(), [](const Json& object) { return std::vector{api::MigCluster::parse(object).secret}; });
  learn(types::mig_storages(), [](const Json& object) {
    const auto storage = api::MigStorage::parse(object);
    return std::vector{storage.credentials, storage.snapshot_credentials};
  });
  learn(types::mig_plans(), [](const Json& object) {
    const auto plan = api::MigPlan::parse(object);
    return std::vector{plan.source, plan.destination, plan.storage};
  });
  learn(types::mig_migrations(), [](const Json& object) { return std::vector{api::MigMigration::parse(object).plan}; });
  learn(types::direct_volume_migrations(), [](const Json& object) {
    return std::vector{api::parse_ref(object, "spec.srcMigClusterRef"),
                       api::parse_ref(object, "spec.destMigClusterRef")};
  });
  learn(types::volume_progresses(),
        [](const Json& object) { return std::vector{api::parse_ref(object, "spec.clusterRef")}; });
}

/// Where a migration stands, as far as its plan and the plan's other migrations are concerned.
std::string standing_of(const kube::Change& change) {
  if (change.type == kube::Change::Type::kDeleted) return "gone";
  if (string_at(change.object, "status.phase") == "Completed") return "over";
  return (api::has_condition(change.object, "Running") ? "running " : "waiting ") +
         string_at(change.object, "status.itinerary");
}

/// A plan is suspended while a migration runs and after it succeeded, and its next migration starts when the one before
/// is over: both look when that changes, not at every phase.
void watch_migrations(Runtime& runtime, const kube::ClientPtr& host) {
  const auto standings = std::make_shared<std::map<kube::ObjectKey, std::string>>();
  const auto plans = std::make_shared<std::map<kube::ObjectKey, api::Ref>>();
  const auto ns = std::string(api::kNamespace);
  runtime.watch(host, types::mig_migrations(), ns, api::kMigPlan, [standings](const kube::Change& change) {
    const auto key = kube::key_of(change.object);
    const auto now = standing_of(change);
    if (std::exchange((*standings)[key], now) == now) return Keys{};
    if (now == "gone") standings->erase(key);
    const auto plan = api::MigMigration::parse(change.object).plan;
    return plan.set() ? Keys{{plan.ns, plan.name}} : Keys{};
  });
  runtime.watch(host, types::mig_migrations(), ns, api::kMigMigration, [plans](const kube::Change& change) {
    const auto key = kube::key_of(change.object);
    const auto plan = api::MigMigration::parse(change.object).plan;
    const auto standing = standing_of(change);
    if (standing != "over" && standing != "gone") {
      (*plans)[key] = plan;
      return Keys{};
    }
    plans->erase(key);
    Keys waiting;
    for (const auto& [other, of] : *plans) {
      if (of == plan) waiting.push_back(other);
    }
    return waiting;
  });
}

/// Plans that move the same namespaces are in conflict until one of them is closed or deleted, or moves others.
void watch_rival_plans(Runtime& runtime, const kube::ClientPtr& host) {
  const auto claims = std::make_shared<std::map<kube::ObjectKey, std::set<std::string>>>();
  runtime.watch(host, types::mig_plans(), api::kNamespace, api::kMigPlan, [claims](const kube::Change& change) {
    const auto key = kube::key_of(change.object);
    const auto plan = api::MigPlan::parse(change.object);
    std::set<std::string> claim;
    if (change.type != kube::Change::Type::kDeleted && !plan.closed) {
      for (const auto& ns : plan.namespaces) claim.insert(ns.source);
    }
    const auto before = std::exchange((*claims)[key], claim);
    if (claim.empty()) claims->erase(key);
    if (before == claim) return Keys{};
    const auto shares = [&](const std::set<std::string>& other) {
      return std::ranges::any_of(other, [&](const auto& ns) { return before.contains(ns) || claim.contains(ns); });
    };
    Keys rivals;
    for (const auto& [other, theirs] : *claims) {
      if (other != key && shares(theirs)) rivals.push_back(other);
    }
    return rivals;
  });
}

/// Copies of volumes wait for their clusters, and look when those become ready or cease to be.
void watch_readiness(Runtime& runtime, const kube::ClientPtr& host, const std::shared_ptr<References>& references) {
  for (const auto* kind : {api::kDirectVolumeMigration, api::kDirectVolumeMigrationProgress}) {
    const auto ready = std::make_shared<std::map<kube::ObjectKey, bool>>();
    runtime.watch(host, types::mig_clusters(), api::kNamespace, kind, [=](const kube::Change& change) {
      const auto key = kube::key_of(change.object);
      const bool now = change.type != kube::Change::Type::kDeleted && api::has_condition(change.object, "Ready");
      const auto [at, is_new] = ready->try_emplace(key, now);
      if (!is_new && std::exchange(at->second, now) == now) return Keys{};
      return references->owners(kind, key);
    });
  }
}

/// Whose change concerns whom, beside each kind's own.
void add_watches(Runtime& runtime, const kube::ClientPtr& host, const std::shared_ptr<References>& references) {
  const auto ns = std::string(api::kNamespace);
  const auto owners = [references](const char* kind) {
    return [references, kind](const kube::Change& change) {
      return references->owners(kind, kube::key_of(change.object));
    };
  };
  runtime.watch(host, kube::types::secrets(), "", api::kMigCluster, owners(api::kMigCluster));
  runtime.watch(host, kube::types::secrets(), "", api::kMigStorage, owners(api::kMigStorage));
  runtime.watch(host, types::mig_clusters(), ns, api::kMigPlan, owners(api::kMigPlan));
  runtime.watch(host, types::mig_storages(), ns, api::kMigPlan, owners(api::kMigPlan));
  runtime.watch(host, types::mig_plans(), ns, api::kMigMigration, owners(api::kMigMigration));
  watch_readiness(runtime, host, references);
  // A plan that is gone leaves locations on its clusters, whose passes sweep them away.
  runtime.watch(host, types::mig_plans(), ns, api::kMigCluster, [](const kube::Change& change) {
    if (change.type != kube::Change::Type::kDeleted) return Keys{};
    const auto plan = api::MigPlan::parse(change.object);
    return Keys{{plan.source.ns, plan.source.name}, {plan.destination.ns, plan.destination.name}};
  });
  // Its volumes in the bucket go with it, or when it is closed.
  runtime.watch(host, types::mig_plans(), ns, api::kMigStorage, [](const kube::Change& change) {
    const auto plan = api::MigPlan::parse(change.object);
    const bool over = change.type == kube::Change::Type::kDeleted || plan.closed;
    return over && plan.storage.set() ? Keys{{plan.storage.ns, plan.storage.name}} : Keys{};
  });
  watch_migrations(runtime, host);
  watch_rival_plans(runtime, host);
}

Task<void> run_with_budgets(Runtime* runtime, plan::Connections* connections,
                            migrate::volumes::NewcomersBudget* newcomers) {
  std::vector<Task<void>> both;
  both.push_back(runtime->run());
  both.push_back(keep_mover_budgets(connections, newcomers));
  co_await async::all(std::move(both));
}

}  // namespace

Task<void> run_controller(ControllerOptions options) {
  const Services services{options.host, options.clock != nullptr ? options.clock : &system_clock(),
                          options.rng != nullptr ? options.rng : &system_rng()};
  co_await plan::bootstrap_host(options.host);
  plan::Connections connections(options.host);
  const auto recorder_for = [&](const char* component) {
    return kube::make_event_recorder(options.host, component, *services.clock, *services.rng);
  };
  const auto cluster_events = co_await recorder_for("migcluster_controller");
  const auto storage_events = co_await recorder_for("migstorage_controller");
  const auto plan_events = co_await recorder_for("migplan_controller");
  const auto migration_events = co_await recorder_for("migmigration_controller");
  const auto volume_events = co_await recorder_for("directvolumemigration_controller");
  const auto progress_events = co_await recorder_for("directvolumemigrationprogress_controller");
  const auto jobs = co_await migrate::make_jobs();
  migrate::volumes::NewcomersBudget newcomers;
  const auto relays = co_await migrate::volumes::make_relays(services.rng);

  Runtime runtime;
  Parts parts{.services = &services,
              .connections = &connections,
              .recorder = cluster_events.get(),
              .jobs = jobs.get(),
              .relays = relays.get(),
              .settings = plan::Settings::from_environment(),
              .volumes = migrate::volumes::Settings::from_environment(),
              .wake_migration = [&runtime](const kube::ObjectKey& key) { runtime.enqueue(api::kMigMigration, key); }};
  parts.volumes.newcomers = &newcomers;
  const auto ns = std::string(api::kNamespace);
  const auto references = std::make_shared<References>();
  learn_references(runtime, options.host, references);
  const auto add = [&](const kube::ResourceType& type, auto make, kube::EventRecorder* events) {
    parts.recorder = events;
    runtime.add(make(parts), options.host, type, ns, options.workers);
  };
  add(types::mig_clusters(), make_cluster_reconciler, cluster_events.get());
  add(types::mig_storages(), make_storage_reconciler, storage_events.get());
  add(types::mig_plans(), make_plan_reconciler, plan_events.get());
  add(types::mig_migrations(), make_migration_reconciler, migration_events.get());
  add(types::direct_volume_migrations(), make_volume_migration_reconciler, volume_events.get());
  add(types::volume_progresses(), make_volume_progress_reconciler, progress_events.get());
  add_watches(runtime, options.host, references);

  std::exception_ptr failure;
  try {
    co_await lead({.host = options.host, .identity = this_process(), .clock = services.clock},
                  [&] { return run_with_budgets(&runtime, &connections, &newcomers); });
  } catch (...) {  // A cancellation, or a failure of the host: what runs in the background ends first.
    failure = std::current_exception();
  }
  co_await jobs->stop();
  co_await relays->stop();
  for (auto* events : {cluster_events.get(), storage_events.get(), plan_events.get(), migration_events.get(),
                       volume_events.get(), progress_events.get()})
    co_await events->stop();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace mtc::control
