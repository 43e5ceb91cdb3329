#pragma once

#include <optional>

#include "async/process.hpp"
#include "json/json.hpp"

namespace mtc::sandbox {

/// Whom the process of a pod runs as, by runAsUser, runAsGroup, fsGroup and supplementalGroups of the container and the
/// pod; nullopt: whoever runs the cluster, which is what it stands for where a pod is root or says nothing. An image
/// counts as one that runs as root. Throws Error(kInvalid) in a kubelet's words for a pod that must not be root and is,
/// kUnsupported for another user where the cluster is not root's.
std::optional<async::Credentials> credentials_of(const Json& pod);

}  // namespace mtc::sandbox
