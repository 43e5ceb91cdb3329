#pragma once

#include "async/task.hpp"
#include "sandbox/objects.hpp"

namespace mtc::sandbox {

/// The few controllers that a cluster needs: namespaces that go take their contents along, dependents follow their
/// owners, every namespace has its default account and CA, token Secrets are filled, workloads have pods, and pods run
/// (as records: nothing is executed). Level-based: each round looks at what changed since the last. Runs until
/// cancelled.
Task<void> run_controllers(Objects* objects, std::string ca_pem, Rng* rng);

}  // namespace mtc::sandbox
