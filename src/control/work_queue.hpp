#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "async/scope.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "kube/resource.hpp"

namespace mtc::control {

/// Keys waiting for a pass: each at most once, never handed out while its pass runs, earliest due first. Times are
/// steady.
class WorkQueue {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// Makes the key due at `when` unless it is due earlier already.
  void add(const kube::ObjectKey& key, Instant when);
  /// Takes the key that is due longest; nullopt if none is due at `now`. done() must follow.
  std::optional<kube::ObjectKey> take(Instant now);
  /// The pass over `key` ended; it may be handed out again.
  void done(const kube::ObjectKey& key);
  /// When the next key that is not running is due; nullopt if there is none.
  std::optional<Instant> next_due() const;
  bool running(const kube::ObjectKey& key) const { return running_.contains(key); }
  std::size_t running_count() const { return running_.size(); }

  /// The delay before the next try after a failure: 5 ms doubling to one minute, with jitter.
  Duration failed(const kube::ObjectKey& key, Rng& rng);
  void succeeded(const kube::ObjectKey& key) { failures_.erase(key); }

 private:
  std::map<kube::ObjectKey, Instant> due_;
  std::set<kube::ObjectKey> running_;
  std::map<kube::ObjectKey, unsigned> failures_;
};

}  // namespace mtc::control
