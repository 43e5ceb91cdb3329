#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "kube/client.hpp"

namespace mtc::control {

/// Something on a cluster whose change wakes a reconciler: all objects of a type that match, or one of them by a field
/// selector "metadata.name=x". Two Interests in the same objects share one watch.
struct Interest {
  kube::ClientPtr cluster;
  kube::ResourceType type;
  std::string ns;  ///< "" = all namespaces, or a cluster-scoped type
  std::string label_selector;
  std::string field_selector;
};

/// What a pass over one object asks for.
struct Result {
  /// Run again after this time, if nothing wakes it before. Zero = at once (after others had their turn).
  std::optional<Duration> again_after;
  /// Run again when one of these changes. Replaces what the pass before asked for, also if empty.
  std::vector<Interest> wake_on;

  static Result done() { return {}; }
  static Result again() { return {.again_after = Duration::zero(), .wake_on = {}}; }
  static Result after(Duration delay) { return {.again_after = delay, .wake_on = {}}; }
};

/// Brings one kind of objects to what their spec asks for. Level-based: it gets a key, not an event, and reads the
/// world again.
///
/// Passes over different keys run concurrently, passes over one key never. A thrown Error requeues the key with
/// back-off (5 ms doubling to one minute); the reconciler has then already shown it in a condition if a user should see
/// it.
class Reconciler {
 public:
  virtual ~Reconciler() = default;
  /// "MigPlan".
  virtual const std::string& kind() const = 0;
  /// One pass. The object may be gone: then forget it and return done().
  virtual Task<Result> reconcile(kube::ObjectKey key) = 0;
};

}  // namespace mtc::control
