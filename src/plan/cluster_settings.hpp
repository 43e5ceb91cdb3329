#pragma once

#include <string>

#include "kube/client.hpp"

namespace mtc::plan {

/// The ConfigMap of our namespace that has a cluster's own settings.
inline constexpr auto kClusterSettings = "migration-cluster-config";

/// A cluster's own settings: a key of kClusterSettings; "" if it is not set.
Task<std::string> cluster_setting(kube::ClientPtr cluster, std::string key);

/// How senders of the source reach receivers of `destination`, as that says: RSYNC_ENDPOINT_TYPE.
Task<std::string> endpoint_type(kube::ClientPtr destination);
/// An endpoint type: through the API servers of both clusters alone, by no address.
inline constexpr auto kRelayAlone = "Relay";

}  // namespace mtc::plan
