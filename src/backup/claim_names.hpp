#pragma once

#include <map>
#include <string>
#include <vector>

#include "backup/archive.hpp"
#include "json/fwd.hpp"

namespace mtc::backup {

/// Claims of the source, "ns/name", and their names on the destination.
using ClaimNames = std::map<std::string, std::string>;

/// Lets a pod, or the pods that a workload makes, mount claims by their names on the destination; the templates of a
/// StatefulSet's claims are renamed with them. Returns what was changed. Throws Error(kInvalid) for a StatefulSet whose
/// claims got names that no template makes.
std::vector<std::string> rename_claims(const ArchivedObject& where, Json& object, const ClaimNames& names);

}  // namespace mtc::backup
