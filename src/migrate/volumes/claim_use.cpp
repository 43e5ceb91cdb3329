#include "migrate/volumes/claim_use.hpp"

#include <algorithm>

#include "api/names.hpp"
#include "plan/claim_users.hpp"

namespace mtc::migrate::volumes {

Task<ClaimUser> user_of(kube::ClientPtr cluster, api::Ref claim) {
  const std::set<kube::ObjectKey> wanted = {{claim.ns, claim.name}};
  for (const auto& pod : co_await kube::list_all(*cluster, kube::types::pods(), claim.ns)) {
    const bool helper = kube::label(pod, api::labels::kPartOf) == api::kNamespace;
    if (!helper && string_at(pod, "status.phase") == "Running" && plan::mounts_any(pod, wanted))
      co_return ClaimUser{kube::key_of(pod).str(), string_at(pod, "spec.nodeName")};
  }
  co_return ClaimUser{};
}

bool is_of_one_node(const Json& claim) {
  return std::ranges::none_of(strings_at(claim, "spec.accessModes"), [](const std::string& mode) {
    return mode == "ReadWriteMany" || mode == "ReadOnlyMany";
  });
}

bool is_of_one_pod(const Json& claim) {
  return std::ranges::all_of(strings_at(claim, "spec.accessModes"),
                             [](const std::string& mode) { return mode == "ReadWriteOncePod"; });
}

}  // namespace mtc::migrate::volumes
