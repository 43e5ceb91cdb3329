#include "plan/target_claims.hpp"

#include "api/names.hpp"
#include "plan/claim_size.hpp"
#include "plan/storage_classes.hpp"

namespace mtc::plan {

Task<TargetClaims> read_target_claims(kube::ClientPtr destination, std::set<std::string> namespaces) {
  TargetClaims out;
  for (const auto& ns : namespaces) {
    for (const auto& claim : co_await kube::list_all(*destination, kube::types::persistent_volume_claims(), ns)) {
      const auto key = kube::key_of(claim);
      out[{key.ns, key.name}] = {.uid = kube::uid_of(claim),
                                 .made_by = kube::label(claim, api::labels::kMigratedByPlan),
                                 .moved_by = kube::label(claim, api::labels::kMovedByPlan),
                                 .request = requested_by(claim),
                                 .size = size_of(claim),
                                 .storage_class = class_of(claim),
                                 .is_bound = string_at(claim, "status.phase") == "Bound"};
    }
  }
  co_return out;
}

}  // namespace mtc::plan
