#include "async/pace.hpp"

#include <algorithm>

namespace mtc::async {
namespace {

using Seconds = std::chrono::duration<double>;

/// A new rate is heeded within this time.
constexpr auto kLongestSleep = Seconds(0.2);
/// What was not used for a while may be caught up on, so that sleeps that last a little too long cost nothing.
constexpr auto kCaughtUp = Seconds(0.05);

}  // namespace

void Pace::set(double per_second) {
  earn();
  rate_ = std::max(per_second, 0.0);
  if (rate_ == 0) owed_ = 0;
}

void Pace::earn() {
  const auto now = std::chrono::steady_clock::now();
  const Seconds since = now - earned_at_;
  earned_at_ = now;
  owed_ = std::max(owed_ - since.count() * rate_, -kCaughtUp.count() * rate_);
}

Task<void> Pace::take(std::uint64_t amount) {
  if (rate_ == 0) co_return;
  const auto turn = co_await turn_.acquire();
  for (earn(); rate_ > 0 && owed_ > 0; earn()) {
    const auto wait = std::min(kLongestSleep, Seconds(owed_ / rate_));
    co_await sleep_for(std::chrono::ceil<std::chrono::milliseconds>(wait));
  }
  if (rate_ > 0) owed_ += static_cast<double>(amount);
}

}  // namespace mtc::async
