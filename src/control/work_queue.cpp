#include "control/work_queue.hpp"

#include <algorithm>

#include "async/retry.hpp"

namespace mtc::control {

using namespace std::chrono_literals;

void WorkQueue::add(const kube::ObjectKey& key, Instant when) {
  const auto [at, inserted] = due_.try_emplace(key, when);
  if (!inserted) at->second = std::min(at->second, when);
}

std::optional<kube::ObjectKey> WorkQueue::take(Instant now) {
  auto best = due_.end();
  for (auto at = due_.begin(); at != due_.end(); ++at) {
    if (at->second > now || running_.contains(at->first)) continue;
    if (best == due_.end() || at->second < best->second) best = at;
  }
  if (best == due_.end()) return std::nullopt;
  auto key = best->first;
  due_.erase(best);
  running_.insert(key);
  return key;
}

void WorkQueue::done(const kube::ObjectKey& key) { running_.erase(key); }

std::optional<WorkQueue::Instant> WorkQueue::next_due() const {
  std::optional<Instant> next;
  for (const auto& [key, when] : due_) {
    if (running_.contains(key)) continue;
    if (!next || when < *next) next = when;
  }
  return next;
}

Duration WorkQueue::failed(const kube::ObjectKey& key, Rng& rng) {
  const async::Backoff backoff{.base = 5ms, .cap = 60s};
  return backoff.delay(++failures_[key], rng);
}

}  // namespace mtc::control
