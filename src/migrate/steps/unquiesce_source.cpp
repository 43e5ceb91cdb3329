#include <utility>

#include <fmt/format.h>

#include "migrate/moved/volumes.hpp"
#include "migrate/quiesce.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/swap.hpp"

namespace mtc::migrate {
namespace {

/// The cancel of a migration does not undo an earlier one.
Task<bool> stays_down(Migration& m) {
  auto elsewhere = co_await moved::handed_over_before(m);
  if (elsewhere.empty()) co_return false;
  m.conditions->set({.type = "SourceStaysDown",
                     .category = api::Category::kWarn,
                     .reason = "VolumesMoved",
                     .message = fmt::format("Volumes [] were moved by an earlier migration and are in use on the "
                                            "destination, so no application of the source was started. To have them "
                                            "back: mtc migrate {} --rollback",
                                            m.plan.self.name),
                     .durable = true,
                     .items = std::move(elsewhere)});
  co_return true;
}

}  // namespace

Task<Outcome> unquiesce_source(Migration& m) {
  if (m.self.canceled && m.flags.storage_conversion) {  // it may have been stopped in the middle of the swap
    const auto outcome = co_await carry_out(m, swap_of(m, true));
    if (outcome.kind != Outcome::Kind::kDone) co_return outcome;
  }
  // Two clusters never write to one volume.
  if (!m.self.rollback && co_await stays_down(m)) co_return done();
  if (auto outcome = co_await moved::take_back(m); outcome.kind != Outcome::Kind::kDone) co_return outcome;
  co_await unquiesce(m.source, m.source_namespaces());
  co_return done();
}

}  // namespace mtc::migrate
