#include "migrate/moved/volumes.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

/// A volume that the source could not take back is found while the application still runs on the destination.
Task<Outcome> begin_rollback(Migration& m) { return moved::retain_on_destination(m); }

}  // namespace mtc::migrate
