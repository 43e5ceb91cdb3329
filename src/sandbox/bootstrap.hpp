#pragma once

#include "sandbox/objects.hpp"

namespace mtc::sandbox {

/// Makes what every cluster has from the beginning, where it is missing: namespaces, and the roles that people bind
/// (cluster-admin, admin, edit, view).
void bootstrap(Objects& objects);

}  // namespace mtc::sandbox
