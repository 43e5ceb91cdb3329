#pragma once

#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// Pod Security's admission of a new pod, if its namespace enforces a level (label pod-security.kubernetes.io/enforce:
/// baseline, restricted). Whatever version the namespace names, the level is that of the newest. Knows host namespaces,
/// hostPath, host ports, privileged, capabilities, privilege escalation, users, seccomp and kinds of volumes; no
/// SELinux, AppArmor, sysctls, procMount, probes or Windows. Throws Failure 403 in the API server's words.
void check_pod_security(const Storage& storage, const Json& pod);

}  // namespace mtc::sandbox
