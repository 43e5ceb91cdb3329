#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "migrate/indirect/moves.hpp"
#include "migrate/indirect/staging.hpp"
#include "migrate/steps/velero_objects.hpp"
#include "migrate/volumes/mover_report.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::migrate::indirect {

/// One direction: volumes into the repository, or out of it.
struct Direction {
  Side side = Side::kSource;
  kube::ClientPtr cluster;          ///< whose claims are read or written
  kube::ResourceType type;          ///< PodVolumeBackup or PodVolumeRestore
  std::string_view failed_to;       ///< "was not backed up"
  api::Ref api::PlanVolume::* own;  ///< the claim on that cluster
  Json parent;                      ///< the Backup or Restore
  /// The object of a claim, as it is created. Throws Error if there cannot be one.
  Task<Json> (*object_of)(Migration& m, Json parent, api::PlanVolume volume);
  /// What carries it, at an attempt.
  Task<plan::Mover> (*mover_of)(Migration& m, Json parent, api::PlanVolume volume, std::int64_t attempt);
  Proof (*proof_of)(const Migration& m, const api::PlanVolume& volume);
  /// Takes away what a claim that is done needs no more; may be null. Who is killed before it leaves that to the end.
  Task<void> (*release)(Migration& m, api::PlanVolume volume) = nullptr;
};

/// One pass over all claims: makes their objects and pods, as many at once as an operator permits, and says where they
/// stand. What is decided is stored in the objects before its effects begin, so that a controller that was killed goes
/// on where it stopped. A claim that failed for good ends the migration: nothing more is begun then, what runs may end.
Task<VolumeWork> walk(Migration& m, Direction direction);

}  // namespace mtc::migrate::indirect
