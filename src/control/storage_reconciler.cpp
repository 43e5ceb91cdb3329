#include <utility>

#include "api/kinds.hpp"
#include "api/names.hpp"
#include "base/error.hpp"
#include "control/reconcilers.hpp"
#include "plan/checks.hpp"
#include "plan/repositories.hpp"

namespace mtc::control {
namespace {

constexpr auto kLookAgain = std::chrono::minutes(10);
constexpr auto kLookAgainSoon = std::chrono::seconds(30);

class StorageReconciler final : public Reconciler {
 public:
  explicit StorageReconciler(Parts parts) : parts_(std::move(parts)) {}

  const std::string& kind() const override {
    static const std::string name = api::kMigStorage;
    return name;
  }

  Task<Result> reconcile(kube::ObjectKey key) override {
    auto pass = co_await Pass::begin(parts_.services, types::mig_storages(), key);
    if (!pass) co_return Result::done();
    const auto storage = api::MigStorage::parse(pass->object());
    std::optional<Error> failure;
    try {
      co_await plan::check_storage(parts_.connections, storage, &pass->conditions(), uuid4(*parts_.services->rng));
      if (!pass->conditions().blocked())
        co_await plan::sweep_repositories(parts_.connections, storage, &pass->conditions());
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      co_await pass->finish_failed(parts_.recorder, failure->what());
      co_return Result::after(kLookAgainSoon);
    }
    const bool tested = !pass->conditions().has("BackupStorageProviderTestFailed");
    pass->conditions().set_ready(!pass->conditions().blocked(), "The storage is ready.");
    co_await pass->finish(parts_.recorder);
    co_return Result::after(tested ? Duration(kLookAgain) : Duration(kLookAgainSoon));
  }

 private:
  Parts parts_;
};

}  // namespace

std::shared_ptr<Reconciler> make_storage_reconciler(Parts parts) {
  return std::make_shared<StorageReconciler>(std::move(parts));
}

}  // namespace mtc::control
