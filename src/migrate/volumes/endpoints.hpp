#pragma once

#include <string>
#include <vector>

#include "migrate/volumes/copying.hpp"

namespace mtc::migrate::volumes {

/// The Service by which the source reaches the receiver of a claim: of the type that RSYNC_ENDPOINT_TYPE of the
/// destination names (ClusterIP, NodePort, LoadBalancer), else a NodePort.
Json service_of(const Copying& c, const api::ClaimCopy& claim, const std::string& endpoint_type);
/// Whether a load balancer has its address; any other type has its own from the start.
bool has_address(const Json& service);

/// Where a sender finds a receiver: "10.0.0.1:6443" …, the best first. The pod itself, for flat networks; its Service
/// inside of one cluster; its load balancer; its node port on the receiver's own node and on two others.
std::vector<std::string> addresses(const Json& receiver, const Json& service, const std::vector<Json>& nodes,
                                   bool same_cluster);

}  // namespace mtc::migrate::volumes
