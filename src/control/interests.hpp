#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/reconciler.hpp"
#include "kube/resource.hpp"

namespace mtc::control {

/// The watches behind Result::wake_on: opened when the first subscriber asks, shared by all who ask for the same
/// objects, closed soon after the last one lost interest. A subscriber is woken for each change after its subscription,
/// and once when the watch is in place, so that a change between its last read and the watch is never missed.
class Interests {
 public:
  struct Subscriber {
    std::string kind;
    kube::ObjectKey key;
    auto operator<=>(const Subscriber&) const = default;
  };
  using Wake = std::function<void(const Subscriber&)>;

  static Task<std::unique_ptr<Interests>> create(Wake wake);
  ~Interests();

  /// What `who` waits for from now on; an empty list ends it.
  void replace(const Subscriber& who, std::vector<Interest> interests);
  void forget(const Subscriber& who) { replace(who, {}); }
  /// Ends all watches and waits for them.
  Task<void> stop();
  std::size_t open_watches() const;

 private:
  struct State;
  explicit Interests(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mtc::control
