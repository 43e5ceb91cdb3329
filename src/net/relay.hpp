#pragma once

#include <exception>
#include <functional>

#include "base/clock.hpp"
#include "net/stream.hpp"

namespace mtc::net {

/// Joins two ends that both wait to be connected.
struct Relay {
  using Open = std::function<Task<StreamPtr>()>;
  Open caller;  ///< connects to the end that speaks first, a TLS client
  Open called;  ///< to the other; only once the caller has said something
  Duration idle = std::chrono::seconds(60);
  /// Hears why a pair broke: what Relay::called threw, or one of its streams.
  std::function<void(const std::exception_ptr&)> broken = [](const std::exception_ptr&) {};
};
/// Keeps one connection to the caller open until it speaks; then that one is spliced to a new one of the called end,
/// and the next one is opened. So as many are joined at once as the caller uses, and none waits at the called end. A
/// pair that breaks concerns nobody else. Returns when the caller closes what it has not used, or uses none for `idle`,
/// and all pairs have ended; throws what Relay::caller throws, after that.
Task<void> relay(Relay between);

}  // namespace mtc::net
