#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace mtc::plan {

/// What an operator can set for all plans, by the environment variables of the original (spec config-controllers.md
/// §11, §12.2).
struct Settings {
  std::size_t namespace_limit = 10;             ///< NAMESPACE_LIMIT: namespaces of a plan
  std::size_t pod_limit = 100;                  ///< POD_LIMIT: running pods of a plan, beyond which it warns
  std::size_t pv_limit = 100;                   ///< PV_LIMIT: volumes of a plan, beyond which it warns
  std::vector<std::string> moved_classes;       ///< PV_MOVE_STORAGECLASSES: classes whose volumes could be re-bound
  std::vector<std::string> excluded_resources;  ///< EXCLUDED_RESOURCES: kinds that describe a cluster
  bool resizes_volumes = false;   ///< ENABLE_DVM_PV_RESIZING: proposed capacities count without a user's word
  std::string cluster_subdomain;  ///< CLUSTER_SUBDOMAIN: of the routes of direct volume transfers

  /// An operator has taken volumes or claims out of all plans.
  bool excludes_volumes() const;
  /// `lookup` returns the value of a variable, or null. A limit that is no number is passed over.
  static Settings from(const std::function<const char*(const char*)>& lookup);
  static Settings from_environment();
};

}  // namespace mtc::plan
