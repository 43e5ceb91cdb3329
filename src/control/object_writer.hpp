#pragma once

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "json/fwd.hpp"
#include "kube/client.hpp"

namespace mtc::control {

/// Writes what a pass changed, in one patch: a merge patch from `before` (as read) to `after`, which fails with
/// Error(kConflict) if somebody else wrote meanwhile. Nothing is sent if nothing changed; else the annotation
/// openshift.io/touch gets a fresh UUID (spec api.md §5.3). Returns the object as stored, or `before`.
Task<Json> write_changes(kube::ClientPtr cluster, kube::ResourceType type, Json before, Json after, Rng& rng);

}  // namespace mtc::control
