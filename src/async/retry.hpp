#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"

namespace mtc::async {

/// Exponential back-off with full jitter: delay n is uniform in [base·2ⁿ/2, base·2ⁿ], at most `cap`.
struct Backoff {
  Duration base = std::chrono::milliseconds(100);
  Duration cap = std::chrono::seconds(10);
  unsigned max_attempts = 6;  ///< including the first
  /// The delay before attempt `attempt` (1 = before the second try).
  Duration delay(unsigned attempt, Rng& rng) const;
};

/// Calls `attempt` until it succeeds, fails with an Error that is not transient(), or attempts run out; then rethrows
/// the last failure. An Error's retry_after lengthens the wait. `attempt` must start over from scratch on each call.
/// `rng` outlives the task.
Task<void> retry_void(Backoff backoff, std::function<Task<void>()> attempt, Rng* rng = &system_rng());

template <typename T>
Task<T> retry(Backoff backoff, std::function<Task<T>()> attempt, Rng* rng = &system_rng()) {
  std::optional<T> result;
  auto once = [](std::function<Task<T>()> make, std::optional<T>* out) -> Task<void> { out->emplace(co_await make()); };
  co_await retry_void(backoff, [&] { return once(attempt, &result); }, rng);
  co_return std::move(*result);
}

}  // namespace mtc::async
