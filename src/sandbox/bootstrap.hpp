#pragma once

#include "sandbox/objects.hpp"

namespace mtc::sandbox {

/// The node that all pods are on.
constexpr auto kNodeName = "sandbox";

/// Makes what every cluster has from the beginning, where it is missing: namespaces, a node, a default storage
/// class, and the roles that people bind (cluster-admin, admin, edit, view).
void bootstrap(Objects& objects);

}  // namespace mtc::sandbox
