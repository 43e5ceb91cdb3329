#pragma once

#include <map>
#include <optional>
#include <set>
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

/// "0" of "data-db-0" if a template "data" of a StatefulSet "db" makes claims of that name; "" otherwise.
std::string ordinal_of(const std::string& claim, const std::string& claim_template, const std::string& set);
/// The pod spec that a workload makes pods from.
const Json& template_spec(const Json& workload);
/// Whether a pod mounts one of these claims.
bool mounts_any(const Json& pod, const std::set<kube::ObjectKey>& claims);
/// Whether the pods of a workload would: by its template, or as the StatefulSet that such claims are of.
bool uses_any(const Json& workload, const std::set<kube::ObjectKey>& claims);

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
