#include "api/names.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/swap.hpp"

namespace mtc::migrate {
namespace {

/// They hold what was written since the conversion: nobody but their owner can say that it is not needed.
Task<void> tell_kept_claims(Migration& m) {
  std::vector<std::string> kept;
  for (const auto& claim : m.target_claims()) {
    if (co_await m.destination->get(kube::types::persistent_volume_claims(), claim)) kept.push_back(claim.str());
  }
  if (kept.empty()) co_return;
  m.conditions->set({.type = "ConvertedClaimsKept",
                     .category = api::Category::kAdvisory,
                     .message = "Workloads use their former claims again. Claims [] are left with what was written to "
                                "them since the conversion: delete them when nobody needs it.",
                     .durable = true,
                     .items = std::move(kept)});
}

}  // namespace

Task<Outcome> swap_claim_references(Migration& m) {
  const auto outcome = co_await carry_out(m, swap_of(m, m.self.rollback));
  if (m.self.rollback && outcome.kind == Outcome::Kind::kDone) co_await tell_kept_claims(m);
  co_return outcome;
}

}  // namespace mtc::migrate
