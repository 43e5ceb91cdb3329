#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "kube/resource.hpp"
#include "plan/claim_users.hpp"

namespace mtc::plan {

/// Names for the claims that follow others when their storage class is converted: "data" becomes "data-mig-<suffix>",
/// and "data-db-0" of a StatefulSet "data-mig-<suffix>-db-0" (spec config-controllers.md §6.3). What an earlier
/// conversion appended goes first, "-mig-xxxx" or "-new", so that suffixes do not stack; it stays where two claims
/// would get one name.
class ConvertedNames {
 public:
  /// `suffix`: four characters, the plan's own.
  explicit ConvertedNames(std::string suffix) : suffix_(std::move(suffix)) {}

  /// Each call takes a name that no earlier one got. `of_set`: the claim as one of a StatefulSet's.
  std::string name_for(const kube::ObjectKey& claim, const std::optional<SetClaim>& of_set);

 private:
  std::string suffix_;
  std::set<kube::ObjectKey> taken_;
};

}  // namespace mtc::plan
