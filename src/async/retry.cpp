#include "async/retry.hpp"

#include <algorithm>
#include <exception>

#include "async/scope.hpp"
#include "base/error.hpp"

namespace mtc::async {

Duration Backoff::delay(unsigned attempt, Rng& rng) const {
  auto ceiling = base;
  for (unsigned i = 1; i < attempt && ceiling < cap; ++i) ceiling *= 2;
  ceiling = std::min(ceiling, cap);
  const auto half = ceiling.count() / 2;
  return Duration(half + static_cast<Duration::rep>(rng.below(static_cast<std::uint64_t>(half) + 1)));
}

Task<void> retry_void(Backoff backoff, std::function<Task<void>()> attempt, Rng* rng) {
  for (unsigned tried = 1;; ++tried) {
    Duration wait{};
    try {
      co_await attempt();
      co_return;
    } catch (const Error& error) {
      if (!error.transient() || tried >= backoff.max_attempts) throw;
      wait = backoff.delay(tried, *rng);
      if (const auto asked = error.retry_after()) wait = std::max<Duration>(wait, *asked);
    }
    co_await sleep_for(wait);
  }
}

}  // namespace mtc::async
