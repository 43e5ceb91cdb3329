#include <utility>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "api/volumes.hpp"
#include "base/error.hpp"
#include "control/reconcilers.hpp"
#include "json/json.hpp"
#include "migrate/advance.hpp"
#include "plan/migration_type.hpp"

namespace mtc::control {
namespace {

class MigrationReconciler final : public Reconciler {
 public:
  explicit MigrationReconciler(Parts parts) : parts_(std::move(parts)) {}

  const std::string& kind() const override {
    static const std::string name = api::kMigMigration;
    return name;
  }

  Task<Result> reconcile(kube::ObjectKey key) override {
    auto pass = co_await Pass::begin(parts_.services, types::mig_migrations(), key);
    if (!pass) co_return Result::done();
    const auto self = api::MigMigration::parse(pass->object());
    if (self.phase == "Completed") co_return Result::done();
    const auto plan = self.plan.set()
                          ? co_await parts_.services->host->get(types::mig_plans(), {self.plan.ns, self.plan.name})
                          : std::nullopt;
    adopt(&*pass, self, plan);

    auto& conditions = pass->conditions();
    const auto sides = plan ? co_await sides_of(api::MigPlan::parse(*plan)) : Sides();
    migrate::validate(self, {plan, co_await siblings_of(self), sides.one_cluster()}, conditions);
    // A migration that has begun is not held up by a plan that is refreshed meanwhile, nor is the undoing of one.
    const bool begun = !self.phase.empty() && !self.itinerary.empty();
    if (begun || self.canceled) conditions.remove("PlanNotReady");
    if (conditions.blocked()) {
      if (!begun && conditions.has("Failed")) end_unbegun(&*pass);
      conditions.set_ready(false, "");
      co_await pass->finish(parts_.recorder);
      co_return Result::done();  // a change of the plan or of its other migrations wakes it
    }
    co_return co_await go_on(&*pass, self, *plan, sides);
  }

 private:
  /// The plan's clusters; nullopt for one that is absent.
  struct Sides {
    std::optional<api::MigCluster> source, destination;
    bool one_cluster() const { return source && destination && plan::are_one_cluster(*source, *destination); }
  };

  Task<std::optional<api::MigCluster>> side(api::Ref ref) {
    if (!ref.set()) co_return std::nullopt;
    const auto object = co_await parts_.services->host->get(types::mig_clusters(), {ref.ns, ref.name});
    co_return object ? std::optional(api::MigCluster::parse(*object)) : std::nullopt;
  }

  Task<Sides> sides_of(api::MigPlan plan) {
    Sides out;
    out.source = co_await side(plan.source);
    out.destination = plan.source == plan.destination ? out.source : co_await side(plan.destination);
    co_return out;
  }

  /// What can never be is over before it begins (spec conditions.md §7).
  static void end_unbegun(Pass* pass) {
    auto& status = pass->object()["status"];
    status["phase"] = "Completed";
    status["errors"] = Json::array({pass->conditions().find("Failed")->message});
  }

  /// Labels by which it is found, and the plan as its owner.
  static void adopt(Pass* pass, const api::MigMigration& self, const std::optional<Json>& plan) {
    auto& metadata = pass->object()["metadata"];
    metadata["labels"][api::labels::kMigrationUid] = self.uid;
    if (!self.plan.name.empty()) metadata["labels"][api::labels::kPlanName] = self.plan.name;
    if (!plan) return;
    const Json owner = {{"apiVersion", api::kApiVersion},
                        {"kind", api::kMigPlan},
                        {"name", self.plan.name},
                        {"uid", kube::uid_of(*plan)}};
    auto& owners = metadata["ownerReferences"];
    if (!owners.is_array()) owners = Json::array();
    for (auto& known : owners) {
      if (string_at(known, "kind") == api::kMigPlan) {
        known = owner;
        return;
      }
    }
    owners.push_back(owner);
  }

  /// The plan's migrations. Whether one may begin is decided on what is stored now; one that has begun goes before all
  /// others, so the server's cache will do, which answers at once (a list right after a write may take it 0.1 s).
  Task<std::vector<Json>> siblings_of(api::MigMigration self) {
    const kube::ListOptions options{.resource_version = self.itinerary.empty() ? "" : "0"};
    std::vector<Json> mine;
    for (auto& object :
         co_await kube::list_all(*parts_.services->host, types::mig_migrations(), api::kNamespace, options)) {
      if (api::parse_ref(object, "spec.migPlanRef") == self.plan) mine.push_back(std::move(object));
    }
    co_return mine;
  }

  Task<Result> go_on(Pass* pass, api::MigMigration self, Json plan, Sides sides) {
    auto migration = co_await assemble(pass, self, plan, sides);
    auto& status = pass->object()["status"];
    if (!status.is_object()) status = Json::object();
    std::optional<Error> failure;
    migrate::Advance next;
    try {
      next = co_await migrate::advance(&migration, &status);
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      co_await pass->finish_retrying(parts_.recorder, *failure);
      throw *failure;
    }
    pass->conditions().set_ready(!next.finished, "The migration is ready.");
    co_await pass->finish(parts_.recorder);
    co_return result_of(std::move(next));
  }

  /// By its MigCluster, which was read already; one that is absent is an error here.
  Task<kube::ClientPtr> client_of(std::optional<api::MigCluster> side, api::Ref ref) {
    if (side) co_return co_await parts_.connections->cluster(*side);
    co_return co_await parts_.connections->cluster(ref);
  }

  Task<migrate::Migration> assemble(Pass* pass, api::MigMigration self, Json plan, Sides sides) {
    migrate::Migration m;
    m.self = self;
    m.plan = api::MigPlan::parse(plan);
    m.plan_object = std::move(plan);
    m.host = parts_.services->host;
    m.host_id = co_await parts_.connections->host_id();
    m.source = co_await client_of(sides.source, m.plan.source);
    m.destination = co_await client_of(sides.destination, m.plan.destination);
    const bool converts = plan::is_conversion(m.plan, sides.one_cluster());
    if (!converts) {  // which passes nothing through a bucket
      const auto storage =
          co_await kube::must_get(*m.host, types::mig_storages(), {m.plan.storage.ns, m.plan.storage.name});
      m.storage = api::MigStorage::parse(storage);
      m.store = co_await parts_.connections->storage(*m.storage);
      if (!api::indirectly_copied(m.plan).empty()) m.bucket = co_await parts_.connections->bucket(*m.storage);
    }
    m.connections = parts_.connections;
    m.jobs = parts_.jobs;
    m.clock = parts_.services->clock;
    m.rng = parts_.services->rng;
    m.volumes = parts_.volumes;
    m.settings = parts_.settings;
    m.conditions = &pass->conditions();
    m.wake = [wake = parts_.wake_migration, key = kube::ObjectKey{self.self.ns, self.self.name}] { wake(key); };
    m.phase_since = pass->running_since(self.phase);
    m.flags.quiesce = self.quiesce;
    m.flags.verify = self.verify;
    m.flags.storage_conversion = converts;
    m.flags.has_pvs = api::has_volumes(api::volumes_of(m.plan));
    m.flags.direct_volume = !api::directly_copied(m.plan).empty();
    m.flags.indirect_volume = m.plan.indirect_volumes;
    m.flags.enable_volume = api::volumes_enabled(m.plan_object);
    const bool copies = !converts && !api::indirectly_copied(m.plan).empty();
    const bool moves = !converts && !self.stage && !api::moved_volumes(m.plan).empty();
    m.flags.has_stage_backup = m.flags.enable_volume && (copies || moves);
    co_return m;
  }

  Parts parts_;
};

}  // namespace

Result result_of(migrate::Advance next) {
  Result result;
  result.again_after = next.again_after;
  for (auto& subject : next.wake_on)
    result.wake_on.push_back({subject.cluster, subject.type, subject.ns, subject.label_selector, ""});
  return result;
}

std::shared_ptr<Reconciler> make_migration_reconciler(Parts parts) {
  return std::make_shared<MigrationReconciler>(std::move(parts));
}

}  // namespace mtc::control
