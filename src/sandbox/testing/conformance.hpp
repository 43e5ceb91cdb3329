#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kube/client.hpp"
#include "kube/config.hpp"

namespace mtc::sandbox::testing {

/// One behaviour that every Kubernetes API server shows: it runs against the embedded cluster and, unchanged, against a
/// real kube-apiserver.
struct Case {
  std::string name;
  /// `ns` is a namespace of the case's own. Throws, or fails a gtest expectation, where the server behaves otherwise.
  std::function<Task<void>(kube::ClientPtr client, std::string ns)> run;
};
const std::vector<Case>& conformance_cases();
/// Makes a namespace, runs the case in it, removes the namespace.
Task<void> run_case(kube::ClientPtr client, Case what);
/// Role-based access: a service account may do what its Role says and nothing else. `connection` reaches the same
/// server.
Task<void> run_access_case(kube::ClientPtr admin, kube::Connection connection);

}  // namespace mtc::sandbox::testing
