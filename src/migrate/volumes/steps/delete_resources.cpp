#include <fmt/format.h>

#include "api/names.hpp"
#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/steps/steps.hpp"
#include "plan/types.hpp"

namespace mtc::migrate::volumes {

Task<Outcome> delete_resources(Copying& c) {
  co_await remove(co_await helpers(c, selector_of(c)));
  if (c.self.delete_progress) {
    for (const auto& claim : c.self.claims) {
      const kube::ObjectKey key{api::kNamespace, progress_name(c, claim)};
      co_await c.host->remove(plan::types::volume_progresses(), key);
    }
  }
  co_return done();
}

}  // namespace mtc::migrate::volumes
