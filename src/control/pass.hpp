#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/condition.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "kube/client.hpp"
#include "kube/event_recorder.hpp"

namespace mtc::control {

/// What reconcilers share.
struct Services {
  kube::ClientPtr host;
  const Clock* clock = nullptr;
  Rng* rng = nullptr;
};

/// One pass over one object: read it, set conditions, store what changed in one patch, tell what is new in Events.
class Pass {
 public:
  /// nullopt if the object is gone.
  static Task<std::optional<Pass>> begin(const Services* services, kube::ResourceType type, kube::ObjectKey key);

  /// The object as it shall be; change it in place.
  Json& object() { return after_; }
  const Json& before() const { return before_; }
  api::Conditions& conditions() { return conditions_; }

  /// Stores conditions, observedDigest (spec api.md §5.1) and whatever was changed in object(); spec.refresh goes back
  /// to false. Nothing is written if nothing changed. Events tell the conditions that are new.
  Task<void> finish(kube::EventRecorder* recorder);
  /// As finish, for a pass that broke off: Ready goes, ReconcileFailed says why, and no digest is stored.
  Task<void> finish_failed(kube::EventRecorder* recorder, std::string why);
  /// As finish, for a pass that may work the next time: Retrying says why, and where it stood stays.
  Task<void> finish_retrying(kube::EventRecorder* recorder, Error why);

  /// Since when the condition Running has had this reason; now, if it has not.
  Time running_since(std::string_view phase) const;

 private:
  Pass(const Services* services, kube::ResourceType type, Json object);
  Task<void> store(kube::EventRecorder* recorder);

  const Services* services_;
  kube::ResourceType type_;
  Json before_;
  Json after_;
  api::Conditions conditions_;
};

/// Type Warning for Critical, Error and Warn conditions, else Normal.
void record_conditions(kube::EventRecorder& recorder, const Json& object,
                       const std::vector<api::Condition>& conditions);

}  // namespace mtc::control
