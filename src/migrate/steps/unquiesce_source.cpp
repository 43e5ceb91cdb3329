#include "migrate/quiesce.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/swap.hpp"

namespace mtc::migrate {

Task<Outcome> unquiesce_source(Migration& m) {
  if (m.self.canceled && m.flags.storage_conversion) {  // it may have been stopped in the middle of the swap
    const auto outcome = co_await carry_out(m, swap_of(m, true));
    if (outcome.kind != Outcome::Kind::kDone) co_return outcome;
  }
  co_await unquiesce(m.source, m.source_namespaces());
  co_return done();
}

}  // namespace mtc::migrate
