#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/kinds.hpp"

namespace mtc::api {

/// spec.persistentVolumes[].selection.action of a MigPlan. A word that is none of them is kUnknown, none is kUnset.
enum class VolumeAction { kUnset, kUnknown, kSkip, kCopy, kMove };
/// selection.copyMethod.
enum class CopyMethod { kUnset, kUnknown, kFilesystem, kBlock, kSnapshot };
/// volumeMode of a claim; absent means Filesystem, as everywhere in Kubernetes.
enum class VolumeMode { kUnknown, kFilesystem, kBlock };

std::string_view to_string(VolumeAction action);
std::string_view to_string(CopyMethod method);
std::string_view to_string(VolumeMode mode);

/// A claim's name in a plan: "data", or "data:new-data" for a claim that gets another name (spec api.md §3.3.1).
struct ClaimMapping {
  std::string source;
  std::string target;
};
/// Cut at the first colon; "data:" has an empty target, which is no name.
ClaimMapping parse_claim(std::string_view entry);

/// An entry of spec.persistentVolumes: a volume of the source and what its user wants done with it (spec api.md
/// §3.3.1).
struct PlanVolume {
  std::string pv;                          ///< the PersistentVolume on the source, the list's key
  Ref claim;                               ///< the claim on the source
  Ref target;                              ///< the claim on the destination, namespace and name mapped
  std::string capacity;                    ///< quantity: of the PersistentVolume, which may exceed the claim's request
  std::string proposed_capacity;           ///< quantity: "0" if nobody proposed one
  bool capacity_confirmed = false;         ///< a user agrees with the proposed one
  std::string source_class;                ///< storage class on the source; "" if it has none
  std::string storage_class;               ///< chosen for the destination; "" means no class, not the default class
  std::string access_mode;                 ///< chosen for the destination; "" = those of the claim
  std::vector<std::string> claim_modes;    ///< access modes of the claim
  VolumeMode mode = VolumeMode::kUnknown;  ///< of the claim
  VolumeAction action = VolumeAction::kUnset;
  CopyMethod method = CopyMethod::kUnset;
  bool verify = false;

  /// What the target claim asks for: the chosen access mode, or else the claim's ("auto" counts as none chosen).
  std::vector<std::string> access_modes() const;
  /// Copied by a method that a DirectVolumeMigration knows: filesystem or block. They mean the same: a claim is copied
  /// as what it is.
  bool is_direct_copy() const;
  /// Copied as a snapshot has it.
  bool is_snapshot_copy() const;
};

/// The volumes of a plan, in the order in which they stand. Entries of namespaces that the plan does not name (any
/// more) are left out. Throws Error(kInvalid), naming the entry, for names that are none and for a list or a value
/// beyond all measure: nothing of it is fit to be used as a name on a cluster then.
std::vector<PlanVolume> volumes_of(const MigPlan& plan);
/// Those that a DirectVolumeMigration copies from cluster to cluster: is_direct_copy(), and none if the plan wants
/// indirect migration (spec migration.md §6, §11.1).
std::vector<PlanVolume> directly_copied(const MigPlan& plan);
/// Those that go through the repository, of either mode: is_snapshot_copy(), and, if the plan wants indirect migration,
/// is_direct_copy().
std::vector<PlanVolume> indirectly_copied(const MigPlan& plan);
/// Those that are not copied, but bound on the destination too: action move.
std::vector<PlanVolume> moved_volumes(const MigPlan& plan);
/// Copied in the one way or the other: volumes whose content movers carry.
std::vector<PlanVolume> carried_volumes(const MigPlan& plan);
/// Flag HasPVs: a volume whose action is anything but skip (spec migration.md §6).
bool has_volumes(const std::vector<PlanVolume>& volumes);
/// Flag EnableVolume: an operator has not taken volumes out of all plans (status.excludedResources).
bool volumes_enabled(const Json& plan_object);

}  // namespace mtc::api
