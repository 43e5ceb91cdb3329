#pragma once

#include <atomic>
#include <cstdint>

#include "async/pace.hpp"

namespace mtc::volume {

/// Bounds how often a run reads the disk it copies from, beside whoever else uses that: a file, or a MiB of a larger
/// one, is one operation. Threads of the pool count what they have read; the tasks that sent them wait.
class ReadPace {
 public:
  /// Operations a second; 0 = without bound. From the Runtime's thread, as keep().
  void set(double per_second) { pace_.set(per_second); }
  /// Counts a read of `bytes`. From any thread.
  void count(std::uint64_t bytes) { due_ += bytes == 0 ? 1 : (bytes + kOneRead - 1) / kOneRead; }
  /// Waits until what was counted before is paid for.
  Task<void> keep() {
    co_await pace_.take(due_.exchange(0));
    co_await pace_.take(0);
  }

 private:
  static constexpr std::uint64_t kOneRead = 1024 * 1024;

  std::atomic<std::uint64_t> due_ = 0;
  async::Pace pace_;
};

}  // namespace mtc::volume
