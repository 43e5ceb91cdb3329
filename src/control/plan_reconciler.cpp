#include <algorithm>
#include <utility>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "base/error.hpp"
#include "control/reconcilers.hpp"
#include "json/json.hpp"
#include "plan/checks.hpp"
#include "plan/forecast.hpp"
#include "plan/migration_type.hpp"

namespace mtc::control {
namespace {

using enum api::Category;

class PlanReconciler final : public Reconciler {
 public:
  explicit PlanReconciler(Parts parts) : parts_(std::move(parts)) {}

  const std::string& kind() const override {
    static const std::string name = api::kMigPlan;
    return name;
  }

  Task<Result> reconcile(kube::ObjectKey key) override {
    auto pass = co_await Pass::begin(parts_.services, types::mig_plans(), key);
    if (!pass) co_return Result::done();
    const auto plan = api::MigPlan::parse(pass->object());
    plan::PlanWorld world;
    std::optional<Error> failure;
    try {
      if (plan.closed) co_return co_await close(plan, &*pass);
      co_await examine(plan, &*pass, &world);
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      co_await pass->finish_failed(parts_.recorder, failure->what());
      throw *failure;  // back-off decides when to look again
    }
    auto& conditions = pass->conditions();
    const bool ready = !conditions.blocked() && conditions.has("PvsDiscovered") &&
                       (world.is_conversion || conditions.has("StorageEnsured"));
    conditions.set_ready(ready, "The migration plan is ready.");
    co_await pass->finish(parts_.recorder);
    Result result{.again_after = world.look_again, .wake_on = {}};
    for (const auto& place : world.awaited) result.wake_on.push_back({place.cluster, place.type, place.ns, "", ""});
    co_return result;
  }

 private:
  Task<void> examine(api::MigPlan plan, Pass* pass, plan::PlanWorld* world) {
    auto& conditions = pass->conditions();
    auto& status = pass->object()["status"];
    if (!status.is_object()) status = Json::object();
    if (string_at(status, "suffix").empty()) status["suffix"] = name_suffix(*parts_.services->rng, 4);
    status["excludedResources"] = parts_.settings.excluded_resources;

    const auto migrations = co_await migrations_of(plan);
    if (auto forecast = plan::forecast_of(migrations); forecast.is_null()) {
      status.erase("forecast");
    } else {
      status["forecast"] = std::move(forecast);
    }
    const bool suspended = is_suspended(migrations) && !plan.refresh;
    if (suspended) {
      conditions.set({.type = "Suspended",
                      .category = kAdvisory,
                      .message = "The migrations plan is in suspended state; Limited validation enforced; PV discovery "
                                 "and resource reconciliation suspended."});
    }
    world->settings = parts_.settings;
    world->plans = co_await kube::list_all(*parts_.services->host, types::mig_plans(), api::kNamespace);
    co_await plan::check_plan(parts_.connections, plan, world, &conditions);
    plan::identify_type(plan, *world, migrations, &conditions);
    if (suspended) {
      conditions.keep({"PvsDiscovered", "StorageEnsured", "PodLimitExceeded", "SourcePodsNotHealthy",
                       "GVKsIncompatible", "WorkloadsCannotBeQuiesced", "WorkloadsMayBeRestarted", "PvLimitExceeded",
                       "PvNoStorageClassSelection", "PvWarnAccessModeUnavailable", "PvWarnCopyMethodSnapshot",
                       "PvWarnNoCephAvailable", "PvSkipped", "PvStorageClassUnchanged", "VolumesExcluded"});
      co_return;
    }
    if (!world->source_client || !world->destination_client || conditions.has("NamespaceNotFoundOnSourceCluster") ||
        conditions.has("NamespaceLimitExceeded") || conditions.has("NamespaceListEmpty")) {
      co_return;
    }
    co_await plan::check_surroundings(plan, world, &conditions);
    auto unhealthy = co_await plan::check_pods(plan, world, &conditions);
    if (unhealthy.empty()) {
      status.erase("namespaces");
    } else {
      status["namespaces"] = std::move(unhealthy);
    }
    if (!world->is_conversion) {  // which carries nothing but volumes, and to nowhere else
      co_await plan::check_content(plan, world, &conditions);
      co_await compare_kinds(plan, world, conditions, status);
    }
    co_await plan::discover_volumes(plan, world, &pass->object(), &conditions);
    plan = api::MigPlan::parse(pass->object());
    co_await plan::check_volumes(plan, world, &conditions);
    co_await plan::check_movers(plan, world, &conditions);
    // What movers are made of may be what cannot be read.
    if (!conditions.has("VolumePrivilegesMissing")) co_await plan::check_admission(plan, world, &conditions);
    // Now that the claims' names are known.
    plan::identify_type(plan, *world, migrations, &conditions);
    if (!conditions.has_category(kCritical) && world->storage) co_await ensure_storage(plan, world, conditions);
  }

  Task<void> compare_kinds(api::MigPlan plan, plan::PlanWorld* world, api::Conditions& conditions, Json& status) {
    auto incompatible = co_await plan::incompatible_kinds(plan, world);
    if (incompatible.empty()) {
      status.erase("incompatibleNamespaces");
      co_return;
    }
    status["incompatibleNamespaces"] = std::move(incompatible);
    conditions.set({.type = "GVKsIncompatible",
                    .category = kWarn,
                    .message = "Some namespaces hold kinds that the destination cluster does not serve; they will not "
                               "be migrated. See status.incompatibleNamespaces."});
  }

  Task<void> ensure_storage(api::MigPlan plan, plan::PlanWorld* world, api::Conditions& conditions) {
    const auto storage = api::MigStorage::parse(*world->storage);
    for (const auto& cluster : {world->source_client, world->destination_client}) {
      co_await plan::ensure_locations(parts_.connections, cluster, plan, storage);
    }
    conditions.set({.type = "StorageEnsured",
                    .category = kRequired,
                    .reason = "Done",
                    .message = "The storage resources have been created."});
  }

  /// The plan's migrations, newest first.
  Task<std::vector<Json>> migrations_of(api::MigPlan plan) {
    std::vector<Json> mine;
    for (auto& object : co_await kube::list_all(*parts_.services->host, types::mig_migrations(), api::kNamespace)) {
      if (api::parse_ref(object, "spec.migPlanRef") == plan.self) mine.push_back(std::move(object));
    }
    std::ranges::sort(mine, std::ranges::greater{},
                      [](const Json& object) { return string_at(object, "metadata.creationTimestamp"); });
    co_return mine;
  }

  /// While a migration runs, and after a cutover, the plan is left alone (spec conditions.md §6.2).
  static bool is_suspended(const std::vector<Json>& newest_first) {
    for (const auto& migration : newest_first) {
      if (api::has_condition(migration, "Running")) return true;
      if (api::has_condition(migration, "Canceled")) continue;
      const bool succeeded =
          api::has_condition(migration, "Succeeded") || api::has_condition(migration, "SucceededWithWarnings");
      if (succeeded && bool_at(migration, "spec.rollback")) return false;
      if (succeeded && !bool_at(migration, "spec.stage")) return true;
    }
    return false;
  }

  /// Removes what the plan made, as far as its clusters can be reached; then only `Closed` is left to say.
  Task<Result> close(api::MigPlan plan, Pass* pass) {
    auto& conditions = pass->conditions();
    conditions.keep({"PvsDiscovered", "Closed"});
    if (!conditions.has("Closed")) {
      for (const auto& object :
           co_await kube::list_all(*parts_.services->host, types::mig_clusters(), api::kNamespace)) {
        if (!api::has_condition(object, "Ready")) continue;
        const auto cluster = co_await parts_.connections->cluster(api::MigCluster::parse(object));
        co_await plan::remove_locations(cluster, plan.uid);
      }
    }
    conditions.set({.type = "Closed", .category = kAdvisory, .message = "The migration plan is closed."});
    co_await pass->finish(parts_.recorder);
    co_return Result::done();
  }

  Parts parts_;
};

}  // namespace

std::shared_ptr<Reconciler> make_plan_reconciler(Parts parts) {
  return std::make_shared<PlanReconciler>(std::move(parts));
}

}  // namespace mtc::control
