#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "kube/config.hpp"

namespace mtc::kube {

/// What a client.authentication.k8s.io plugin printed: ExecCredential.status.
struct ExecCredential {
  Secret token;
  std::optional<Time> expires;
};

/// Runs the plugin and waits for it, at most 60 s. Blocking: call through offload. Throws Error(kUnauthorized) naming
/// the command, its exit code and its last words; with the plugin's install hint if the command is missing.
ExecCredential run_exec_plugin(const Connection::Exec& exec, const Connection& connection);

}  // namespace mtc::kube
