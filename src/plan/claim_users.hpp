#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "json/json.hpp"
#include "kube/resource.hpp"
#include "plan/workloads.hpp"

namespace mtc::plan {

/// A claim that a StatefulSet made or would make: its name is "<template>-<set>-<ordinal>".
struct SetClaim {
  std::string set;
  std::string claim_template;
  std::string ordinal;
  auto operator<=>(const SetClaim&) const = default;
};

/// Who uses the claims of some namespaces: workloads by their templates, and pods that run (spec config-controllers.md
/// §6.7, §6.8). Claims are told apart by namespace and name. Refers to nothing of what it was made from.
class ClaimUsers {
 public:
  explicit ClaimUsers(const WorkloadObjects& objects);

  /// Kind of the workload at the top: "Deployment", "StatefulSet" …; "Unknown" for several kinds, or for a user that
  /// none of the known kinds owns; "" if nobody uses the claim.
  std::string owner_type(const kube::ObjectKey& claim) const;
  /// nullopt unless a StatefulSet would take the claim for one of its own; a set that is scaled to zero, too.
  std::optional<SetClaim> set_claim(const kube::ObjectKey& claim) const;

 private:
  struct ClaimTemplate {
    std::string ns, set, name;
  };
  void note(const kube::ObjectKey& claim, const std::string& kind);

  std::map<kube::ObjectKey, std::string> kinds_;
  std::vector<ClaimTemplate> templates_;
};

}  // namespace mtc::plan
