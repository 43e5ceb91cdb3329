#pragma once

#include <string>
#include <vector>

#include "migrate/volumes/copying.hpp"

namespace mtc::migrate::volumes {

/// The image of movers on a cluster: RSYNC_TRANSFER_IMAGE of its migration-cluster-config, else that of this release.
Task<std::string> mover_image(kube::ClientPtr cluster);

/// The pod that writes the files of a claim on the destination.
Json receiver_pod(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt, const std::string& image);
/// The pod that reads them on the source. `node`, if not empty, is where it must run, because a volume that one node
/// alone may mount is in use there; as an affinity, so that the scheduler minds taints and room.
Json sender_pod(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt, const std::string& image,
                const std::vector<std::string>& addresses, const std::string& node);

/// The node of a running pod, none of ours, that mounts the claim; "" if no node is bound to it: nobody runs, or the
/// claim may be mounted by several nodes.
Task<std::string> node_of_user(Copying& c, api::ClaimCopy claim, Json source_claim);

}  // namespace mtc::migrate::volumes
