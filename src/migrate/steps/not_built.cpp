#include "base/error.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {

Task<Outcome> not_built(Migration& m) {
  throw Error(Code::kInternal,
              "migration " + m.self.self.str() + " reached a phase that this release does not have: please report it");
  co_return done();
}

}  // namespace mtc::migrate
