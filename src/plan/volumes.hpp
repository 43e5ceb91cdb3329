#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/kinds.hpp"
#include "json/json.hpp"
#include "kube/client.hpp"
#include "plan/claim_users.hpp"
#include "plan/settings.hpp"
#include "plan/storage_classes.hpp"
#include "plan/workloads.hpp"

namespace mtc::plan {

/// What the source holds of volumes, as read.
struct VolumeObjects {
  std::vector<Json> claims;   ///< of the plan's namespaces
  std::vector<Json> volumes;  ///< PersistentVolumes bound to claims of these namespaces
  WorkloadObjects users;
  StorageClasses source_classes, destination_classes;
  /// Every pod of the source runs on the same node, so it does not matter which one a hostPath is a directory of.
  bool one_node = false;
};
/// Reads as little as it must: without claims it asks for nothing but the classes.
Task<VolumeObjects> read_volumes(kube::ClientPtr source, kube::ClientPtr destination,
                                 std::vector<std::string> namespaces);

/// What discovery knows of a volume beyond what the plan stores.
struct FoundVolume {
  std::vector<std::string> actions;  ///< supported.actions
  bool is_block = false;             ///< whatever the plan says
  bool lacks_ceph = false;           ///< ClassChoice::lacks_ceph
  std::string claim_uid;
  std::string request;             ///< what the target claim asks for at least: target_request()
  std::string csi_driver;          ///< "" if it is of none
  std::optional<SetClaim> of_set;  ///< the claim is one of a StatefulSet's
};

/// The volumes of a plan (spec config-controllers.md §6).
struct FoundVolumes {
  Json entries = Json::array();                ///< spec.persistentVolumes as it should read, by name of the volume
  std::map<std::string, FoundVolume> by_name;  ///< by name of the PersistentVolume
  std::vector<std::string> unbound;            ///< claims without a volume, as "ns/name"
};
/// What makes discovery that of a storage conversion: claims get successors, and those of this plan, or of another's
/// conversion, are none of its volumes (spec config-controllers.md §6.2, §6.3).
struct Conversion {
  std::string plan_uid;
  std::string suffix;  ///< status.suffix of the plan
};
/// `known` is spec.persistentVolumes as stored. A volume that it names keeps what users choose: its selection, the
/// target name of its claim, access modes, volume mode and capacityConfirmed. What is not found goes.
FoundVolumes find_volumes(const VolumeObjects& objects, const Json& known, const Settings& settings,
                          const std::optional<Conversion>& conversion = std::nullopt);

}  // namespace mtc::plan
