#include <algorithm>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "migrate/volumes/helpers.hpp"
#include "migrate/volumes/mover_pods.hpp"
#include "migrate/volumes/operations.hpp"
#include "migrate/volumes/steps/steps.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kSlow = std::chrono::minutes(3);
constexpr auto kLimit = std::chrono::hours(1);

/// Those whose turn comes first; the others get their receivers when theirs comes.
std::size_t first_ones(const Copying& c) { return std::min(c.settings.at_once, c.self.claims.size()); }

}  // namespace

Task<Outcome> create_receivers(Copying& c) {
  for (std::size_t i = 0; i < first_ones(c); ++i) co_await ensure_receiver(c, c.self.claims[i], 1);
  co_return done();
}

/// One that fails already here is a matter of the attempts that RunRsyncOperations counts.
Task<Outcome> wait_for_receivers(Copying& c) {
  const auto pods = co_await pods_of(c, Side::kDestination);
  std::vector<std::string> waiting;
  for (std::size_t i = 0; i < first_ones(c); ++i) {
    const auto& claim = c.self.claims[i];
    const auto at = pods.find({claim.target.ns, receiver_name(c, claim, 1)});
    if (at == pods.end()) continue;  // RunRsyncOperations makes it again
    const auto view = view_of(&at->second);
    if (view.state == PodView::State::kPending) waiting.push_back(fmt::format("{} ({})", view.name, view.trouble));
  }
  if (waiting.empty()) co_return done();
  if (c.in_phase() > kLimit) {
    co_return fail("MigrationFailed",
                   {fmt::format("Receiving Pods have not started within an hour: {}.", join(waiting, ", "))});
  }
  if (c.in_phase() > kSlow) {
    c.conditions->set({.type = "RsyncTransferPodsPending",
                       .category = api::Category::kWarn,
                       .reason = "NotReady",
                       .message = "Receiving Pods of the destination are not running after 3 minutes: []. See `kubectl "
                                  "describe pod` of each there.",
                       .items = waiting});
  }
  co_return wait_for(pod_subjects(c, Side::kDestination), kSlow);
}

}  // namespace mtc::migrate::volumes
