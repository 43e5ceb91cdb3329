#pragma once

#include <optional>
#include <string>

#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// Of classes whose volumes are directories in the cluster's folder.
constexpr auto kProvisioner = "sandbox.mtc/directory";
/// Of classes whose volumes are directories too, and CSI volumes to whoever looks at them: these have snapshots.
constexpr auto kCsiDriver = "directories.sandbox.mtc";

/// The class of a claim or a volume; nullopt for a claim that leaves the choice to the cluster.
std::optional<std::string> class_of(const Json& object);
/// Chooses the cluster's default class for a new claim that names none.
void choose_class(const Storage& storage, Json& claim);

/// Whether a claim may ask for more than it did: its class must say so (`allowVolumeExpansion`). Throws Failure 403 in
/// the API server's words.
void check_growth(const Storage& storage, const Json& before, const Json& after);

}  // namespace mtc::sandbox
