#pragma once

#include <string>

#include "api/volumes.hpp"
#include "json/json.hpp"
#include "plan/settings.hpp"

namespace mtc::plan {

// All sizes are quantities as Kubernetes writes them; "" where there is none.

/// The one of two quantities that is more; the first if they are the same.
std::string larger(const std::string& a, const std::string& b);
/// What a claim asks for.
std::string requested_by(const Json& claim);
/// What a claim has, once it has something; else what it asks for.
std::string size_of(const Json& claim);

/// Whether a claim, or a volume, is a device rather than a file system.
bool is_device(const Json& claim);

/// What the claim of the destination asks for (spec direct-volume.md §6): as much as the source's, or `capacity` if
/// that is more. Files may fit into less than the source has, a device never: its claim asks for what the source's
/// really has, which is often more than was asked for there. `volume` is its PersistentVolume, or empty.
std::string target_request(const Json& source, const Json& volume, const std::string& capacity);

/// The capacity that a plan wants for a volume on the destination, whatever the source's claim asks for: the proposed
/// one if a user has confirmed it; where the operator has volumes resized, the larger of the proposed one and that of
/// the source's PersistentVolume. "" if it wants none, as of a volume that is moved.
std::string wanted_capacity(const Settings& settings, const api::PlanVolume& volume);

}  // namespace mtc::plan
