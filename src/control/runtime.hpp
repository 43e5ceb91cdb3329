#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/reconciler.hpp"
#include "kube/follow.hpp"

namespace mtc::control {

/// Runs reconcilers: one queue per kind, watches that fill the queues, back-off, and waking on Interests. Nothing
/// polls.
class Runtime {
 public:
  /// Which keys of a kind another object's change concerns.
  using Map = std::function<std::vector<kube::ObjectKey>(const kube::Change&)>;

  Runtime();
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Registers a reconciler for the objects of `type` in `ns` on `cluster`. A change that leaves spec, labels and
  /// deletionTimestamp as they were (our own status writes) does not wake it. At most `workers` keys at once. Before
  /// run().
  void add(std::shared_ptr<Reconciler> reconciler, kube::ClientPtr cluster, kube::ResourceType type, std::string ns,
           std::size_t workers);
  /// Wakes keys of `kind` when objects of a type change. All that is registered for the same objects shares one watch
  /// and is told in the order of registration: what must be known before a reconciler runs is registered before its
  /// add(). Before run().
  void watch(kube::ClientPtr cluster, kube::ResourceType type, std::string ns, std::string kind, Map map);
  /// Queues a key now.
  void enqueue(const std::string& kind, kube::ObjectKey key);

  /// Runs until cancelled; then waits for passes in progress to end.
  Task<void> run();
  /// Waits until no key is queued, running, or due within `horizon` (tests).
  Task<void> wait_idle(Duration horizon = Duration::zero());

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mtc::control
