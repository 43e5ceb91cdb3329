#pragma once

#include "async/task.hpp"
#include "sandbox/folder.hpp"
#include "sandbox/objects.hpp"

namespace mtc::sandbox {

struct ControllerOptions {
  std::string ca_pem;   ///< that every namespace gets
  std::string program;  ///< what pods of mtc's own image run
};

/// The few controllers that a cluster needs: namespaces that go take their contents along, dependents follow their
/// owners, every namespace has its default account and CA, token Secrets are filled, claims have volumes (volumes.hpp),
/// workloads have pods, and pods run (kubelet.hpp). Level-based: each round looks at what changed since the last. Runs
/// until cancelled; processes of pods end with it.
Task<void> run_controllers(Objects* objects, Folder* folder, ControllerOptions options, Rng* rng);

}  // namespace mtc::sandbox
