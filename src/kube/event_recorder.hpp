#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "kube/client.hpp"

namespace mtc::kube {

enum class EventType { kNormal, kWarning };

/// Records core/v1 Events on objects, as `kubectl describe` shows them. Equal events (object, type, reason, message)
/// are folded into one with a growing count. Writing is asynchronous and best effort: failures are logged, never
/// thrown, and never hold up the caller.
class EventRecorder {
 public:
  virtual ~EventRecorder() = default;
  /// `object` needs apiVersion, kind and metadata.
  virtual void record(const Json& object, EventType type, std::string_view reason, std::string_view message) = 0;
  /// Waits until everything recorded so far is written, at most 10 s.
  virtual Task<void> flush() = 0;
  /// Flushes, unless the caller was cancelled, then ends the writer; throws no cancellation. Await it before
  /// destruction.
  virtual Task<void> stop() = 0;
};
/// `component` becomes source.component and reportingComponent: "migmigration_controller". Call from a task.
Task<std::unique_ptr<EventRecorder>> make_event_recorder(ClientPtr client, std::string component, const Clock& clock,
                                                         Rng& rng);

}  // namespace mtc::kube
