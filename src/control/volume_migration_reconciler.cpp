#include <algorithm>
#include <utility>

#include "api/names.hpp"
#include "api/volume_migration.hpp"
#include "base/error.hpp"
#include "control/reconcilers.hpp"
#include "json/json.hpp"
#include "migrate/volumes/advance.hpp"

namespace mtc::control {
namespace {

namespace volumes = migrate::volumes;
using enum api::Category;

class VolumeMigrationReconciler final : public Reconciler {
 public:
  explicit VolumeMigrationReconciler(Parts parts) : parts_(std::move(parts)) {}

  const std::string& kind() const override {
    static const std::string name = api::kDirectVolumeMigration;
    return name;
  }

  Task<Result> reconcile(kube::ObjectKey key) override {
    auto pass = co_await Pass::begin(parts_.services, types::direct_volume_migrations(), key);
    if (!pass) {
      parts_.relays->keep(key.str(), {});  // deleted by force, it had no pass of its own
      co_return Result::done();
    }
    if (!pass->object()["status"].is_object()) pass->object()["status"] = Json::object();
    auto& status = pass->object()["status"];
    if (!status.contains("phaseDescription")) status["phaseDescription"] = "";
    std::optional<Error> unreadable;
    api::DirectVolumeMigration self;
    try {
      self = api::DirectVolumeMigration::parse(pass->object());
    } catch (const Error& error) {
      unreadable = error;
    }
    if (unreadable) co_return co_await refuse(&*pass, unreadable->what());
    if (self.deleting) co_return co_await remove(&*pass, self);
    if (self.phase == "Completed") co_return Result::done();
    co_return co_await go_on(&*pass, self);
  }

 private:
  /// What cannot be read has made nothing yet, so nothing keeps it.
  Task<Result> refuse(Pass* pass, std::string why) {
    pass->conditions().set(
        {.type = "InvalidPVCs", .category = kCritical, .reason = "NotSupported", .message = std::move(why)});
    pass->conditions().set_ready(false, "");
    set_finalizer(pass->object(), false);
    co_await pass->finish(parts_.recorder);
    co_return Result::done();
  }

  static void set_finalizer(Json& object, bool wanted) {
    auto& finalizers = object["metadata"]["finalizers"];
    if (!finalizers.is_array()) finalizers = Json::array();
    const auto at = std::find(finalizers.begin(), finalizers.end(), Json(api::kDirectVolumeFinalizer));
    if (wanted && at == finalizers.end()) finalizers.push_back(api::kDirectVolumeFinalizer);
    if (!wanted && at != finalizers.end()) finalizers.erase(at);
    if (finalizers.empty()) object["metadata"].erase("finalizers");
  }

  Task<Result> go_on(Pass* pass, api::DirectVolumeMigration self) {
    auto& conditions = pass->conditions();
    set_finalizer(pass->object(), true);
    const auto clusters = co_await clusters_of(self);
    const bool begun = !self.itinerary.empty();
    if (!begun) volumes::validate(self, clusters, conditions);
    if (!conditions.blocked() && !begun)
      co_await volumes::validate_claims(self, co_await parts_.connections->cluster(self.source), &conditions);
    if (!begun && conditions.blocked()) {
      conditions.set_ready(false, "");
      co_await pass->finish(parts_.recorder);
      co_return Result::after(std::chrono::minutes(1));  // a claim that appears is seen then; a cluster wakes it
    }
    co_return co_await advance(pass, self);
  }

  Task<Result> advance(Pass* pass, api::DirectVolumeMigration self) {
    auto copying = co_await assemble(pass, self);
    std::optional<Error> failure;
    migrate::Advance next;
    try {
      next = co_await volumes::advance(&copying);
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

  /// Transfers end before it is gone. A cluster whose MigCluster or Secret is gone cannot be tidied any more.
  Task<Result> remove(Pass* pass, api::DirectVolumeMigration self) {
    parts_.relays->keep(self.self.str(), {});
    std::optional<volumes::Copying> copying;
    try {
      copying = co_await assemble(pass, self);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound && error.code() != Code::kInvalid) throw;
    }
    std::vector<migrate::Subject> wake_on;
    if (copying && !co_await volumes::remove_helpers(&*copying, &wake_on))
      co_return result_of({false, std::move(wake_on), std::chrono::seconds(10)});
    set_finalizer(pass->object(), false);
    co_await pass->finish(parts_.recorder);
    co_return Result::done();
  }

  Task<volumes::ClusterObjects> clusters_of(api::DirectVolumeMigration self) {
    volumes::ClusterObjects out;
    const auto& host = parts_.services->host;
    if (self.source.set()) out.source = co_await host->get(types::mig_clusters(), {self.source.ns, self.source.name});
    if (self.destination.set())
      out.destination = co_await host->get(types::mig_clusters(), {self.destination.ns, self.destination.name});
    co_return out;
  }

  Task<volumes::Copying> assemble(Pass* pass, api::DirectVolumeMigration self) {
    volumes::Copying c;
    c.self = self;
    c.host = parts_.services->host;
    c.source = co_await parts_.connections->cluster(self.source);
    c.destination = co_await parts_.connections->cluster(self.destination);
    c.clock = parts_.services->clock;
    c.conditions = &pass->conditions();
    c.status = &pass->object()["status"];
    c.settings = parts_.volumes;
    c.relays = parts_.relays;
    c.run_as = co_await run_as(self);
    c.phase_since = pass->running_since(self.phase);
    co_return c;
  }

  /// As its MigMigration says.
  Task<api::RunAs> run_as(api::DirectVolumeMigration self) {
    if (self.migration_uid.empty()) co_return api::RunAs{};
    for (const auto& migration :
         co_await kube::list_all(*parts_.services->host, types::mig_migrations(), api::kNamespace)) {
      if (kube::uid_of(migration) == self.migration_uid) co_return api::MigMigration::parse(migration).run_as;
    }
    co_return api::RunAs{};
  }

  Parts parts_;
};

}  // namespace

std::shared_ptr<Reconciler> make_volume_migration_reconciler(Parts parts) {
  return std::make_shared<VolumeMigrationReconciler>(std::move(parts));
}

}  // namespace mtc::control
