#include "async/scope.hpp"
#include "migrate/moved/volumes.hpp"
#include "migrate/steps/migrated_objects.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr std::size_t kParallel = 8;

Task<void> remove_one(kube::ClientPtr cluster, MigratedObject what) { co_await cluster->remove(what.type, what.key); }

}  // namespace

Task<Outcome> delete_migrated(Migration& m) {
  if (auto outcome = co_await moved::retain_on_destination(m); outcome.kind != Outcome::Kind::kDone) co_return outcome;
  const auto found = co_await migrated_objects(m);
  co_await async::parallel_for(found.size(), kParallel,
                               [&](std::size_t i) { return remove_one(m.destination, found[i]); });
  co_return done();
}

}  // namespace mtc::migrate
