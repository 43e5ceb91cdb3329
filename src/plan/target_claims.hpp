#pragma once

#include <map>
#include <set>
#include <string>

#include "api/kinds.hpp"
#include "kube/client.hpp"

namespace mtc::plan {

/// What a claim of the destination tells. Sizes are quantities.
struct TargetClaim {
  std::string uid;
  std::string made_by, moved_by;  ///< UIDs of plans: who made it, and whose volume of the source it has; "" if nobody's
  std::string request;            ///< what it asks for
  std::string size;               ///< what it has; before it has anything, what it asks for
  std::string storage_class;
  bool is_bound = false;
};
using TargetClaims = std::map<api::Ref, TargetClaim>;

/// All claims of these namespaces.
Task<TargetClaims> read_target_claims(kube::ClientPtr destination, std::set<std::string> namespaces);

}  // namespace mtc::plan
