#pragma once

#include <string>

#include "base/clock.hpp"
#include "json/json.hpp"

// The statuses that a kubelet gives a pod, one for each state. Each takes the pod as it is stored: conditions that stay
// as they are keep their time.
namespace mtc::sandbox {

struct PodAddress {
  std::string pod_ip;
  std::string host_ip;
};

/// No node can have it: phase Pending, PodScheduled False.
Json unscheduled_status(const Json& pod, const std::string& why, Time now);
/// On the node, its containers still to be made: phase Pending, `reason` as "ContainerCreating".
Json waiting_status(const Json& pod, const std::string& reason, const std::string& message, Time now);
Json running_status(const Json& pod, const PodAddress& address, Time now);

/// How the container of a process pod ended.
struct PodEnd {
  int exit_code = 0;
  int signal = 0;
  std::string reason;   ///< "" = "Completed" or "Error", by the exit code
  std::string message;  ///< what it left in its termination log
};
/// Phase Succeeded or Failed, by the exit code; a container that never ran has begun when it ended.
Json ended_status(const Json& pod, const PodEnd& end, Time now);

}  // namespace mtc::sandbox
