#pragma once

#include <chrono>
#include <cstdint>

#include "async/scope.hpp"

namespace mtc::async {

/// A rate that several tasks keep together, and that may change while they wait. For tasks of one Runtime.
class Pace {
 public:
  /// `per_second` of anything; 0 = without bound, as it is at first.
  void set(double per_second);
  double per_second() const { return rate_; }
  /// Takes `amount`, once what was taken before is paid for. So the first one does not wait, and one that is larger
  /// than a second's worth makes the next wait for as long. Who came first goes first.
  Task<void> take(std::uint64_t amount);

 private:
  void earn();

  Semaphore turn_{1};
  double rate_ = 0;
  double owed_ = 0;
  std::chrono::steady_clock::time_point earned_at_;
};

}  // namespace mtc::async
