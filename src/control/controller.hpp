#pragma once

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "kube/client.hpp"

namespace mtc::control {

struct ControllerOptions {
  kube::ClientPtr host;          ///< the cluster that holds our resources
  const Clock* clock = nullptr;  ///< null = the machine's
  Rng* rng = nullptr;            ///< null = the system's
  /// Objects of one kind that are worked on at once. A cluster that hangs holds its worker for the length of a connect
  /// (10 s), so there are more than clusters usually hang at a time; one that waits costs a few kilobytes.
  std::size_t workers = 16;
};

/// Installs our CustomResourceDefinitions on the host and reconciles its MigClusters, MigStorages, MigPlans and
/// MigMigrations until cancelled. Work in progress is on record in the objects' status: a controller that is killed
/// goes on where it stopped. Of several controllers of one host one works, the others stand by (control/leader.hpp).
/// Throws Error if the host cannot be reached or prepared, or if another controller took over.
Task<void> run_controller(ControllerOptions options);

}  // namespace mtc::control
