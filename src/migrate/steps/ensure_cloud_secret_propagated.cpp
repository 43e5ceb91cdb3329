#include <fmt/format.h>

#include "base/error.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

/// The built-in engine reads the credentials from the MigStorage; what has to be seen is that the bucket still takes
/// them.
Task<Outcome> ensure_cloud_secret_propagated(Migration& m) {
  std::string failure;
  try {
    co_await m.store->list("velero/", "/");
  } catch (const Error& error) {
    failure = error.what();
  }
  if (!failure.empty())
    co_return fail("MigrationFailed", {fmt::format("The replication repository does not answer: {}.", failure)});
  co_return done();
}

}  // namespace mtc::migrate
