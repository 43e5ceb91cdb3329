#pragma once

#include "async/task.hpp"
#include "http/server.hpp"
#include "json/json.hpp"

namespace mtc::sandbox {

/// Answers …/pods/NAME/portforward: a WebSocket of kubectl's older protocol (kube/port_forward.hpp) to the one port
/// that `ports` names, at the pod's address. A record has no process, so nobody listens there. Throws Failure 400 for
/// another number of ports or what is none, and for a client that asks for SPDY. Both references outlive the task.
Task<void> serve_port_forward(Json pod, http::ServerRequest& request, http::ResponseWriter& writer);

}  // namespace mtc::sandbox
