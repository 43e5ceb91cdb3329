#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/kinds.hpp"

namespace mtc::api {

/// spec.migrationType of a DirectVolumeMigration: copies while the application runs, when it stands still, or back.
enum class CopyType { kStage, kCutOver, kRollback };
/// Anything that is none of the words is a Stage, which promises least.
CopyType parse_copy_type(std::string_view text);
std::string_view to_string(CopyType type);

/// An entry of spec.persistentVolumeClaims: a claim of the source, and the one that its files go into (spec
/// direct-volume.md §1).
struct ClaimCopy {
  Ref source;
  Ref target;                             ///< namespace and name default to those of the source
  std::string storage_class;              ///< "" means no class, not the default class
  std::vector<std::string> access_modes;  ///< empty = those of the source
  std::string capacity = {};              ///< quantity that the target asks for at least; "" = that of the source
  bool verify = false;
};

/// A DirectVolumeMigration (spec direct-volume.md §1).
struct DirectVolumeMigration {
  Ref self;
  std::string uid;
  Ref source, destination;  ///< MigClusters
  bool has_claims = false;  ///< spec.persistentVolumeClaims is there, if only as an empty list
  std::vector<ClaimCopy> claims;
  std::int64_t back_off_limit = 0;  ///< attempts for a claim; 0 = the default
  bool delete_progress = false;
  CopyType type = CopyType::kStage;
  std::string migration_uid;  ///< of the MigMigration that made it; "" if nobody did
  std::string plan_uid;       ///< of its plan
  std::string phase;          ///< status.phase
  std::string itinerary;      ///< status.itinerary
  std::vector<std::string> errors;
  bool deleting = false;
  /// Throws Error(kInvalid), naming the entry, for names that are none, for a target that two claims share, and for a
  /// list or a value beyond all measure.
  static DirectVolumeMigration parse(const Json& object);
};

/// A DirectVolumeMigrationProgress (spec direct-volume.md §12).
struct VolumeProgress {
  Ref self;
  std::string uid;
  Ref cluster;                                  ///< the MigCluster where the pods are
  Ref pod;                                      ///< the older form: one pod
  std::string pod_namespace;                    ///< with `selector`: all attempts at a claim
  std::map<std::string, std::string> selector;  ///< labels
  static VolumeProgress parse(const Json& object);
};

}  // namespace mtc::api
