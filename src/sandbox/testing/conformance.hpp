#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kube/client.hpp"
#include "kube/config.hpp"

namespace mtc::sandbox::testing {

/// The server that a case runs against.
struct Server {
  kube::ClientPtr client;       ///< of an administrator
  kube::Connection connection;  ///< the same administrator's
  std::string ns;               ///< a namespace of the case's own
};

/// One behaviour that every Kubernetes API server shows: it runs against the embedded cluster and, unchanged, against a
/// real kube-apiserver.
struct Case {
  std::string name;
  /// Throws, or fails a gtest expectation, where the server behaves otherwise.
  std::function<Task<void>(Server)> run;
};
using Cases = std::vector<Case>;

/// All cases, area by area.
Cases conformance_cases();
/// Makes a namespace, runs the case in it, removes the namespace and the kinds that the case defined.
Task<void> run_case(kube::ClientPtr client, kube::Connection connection, Case what);

// The areas, each in its own file.
Cases access_cases();
Cases apply_cases();
Cases apply_type_cases();
Cases conflict_cases();
Cases definition_cases();
Cases deletion_cases();
Cases discovery_cases();
Cases dry_run_cases();
Cases immutability_cases();
Cases object_cases();
Cases paging_cases();
Cases patch_cases();
Cases pod_security_cases();
Cases quota_cases();
Cases schema_cases();
Cases selector_cases();
Cases strategic_patch_cases();
Cases token_cases();
Cases volume_cases();
Cases watch_cases();
Cases workload_cases();

}  // namespace mtc::sandbox::testing
