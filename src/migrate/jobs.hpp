#pragma once

#include <memory>

#include "async/scope.hpp"
#include "migrate/migration.hpp"

namespace mtc::migrate {

/// Jobs with an end.
class OwnedJobs : public Jobs {
 public:
  /// Cancels what runs and waits for it. Await it before destruction.
  virtual Task<void> stop() = 0;
};
Task<std::unique_ptr<OwnedJobs>> make_jobs();

}  // namespace mtc::migrate
