#include <algorithm>
#include <iterator>

#include "api/names.hpp"
#include "api/volumes.hpp"
#include "json/json.hpp"
#include "migrate/steps/steps.hpp"
#include "migrate/steps/velero_manifests.hpp"

namespace mtc::migrate {
namespace {

/// If a claim has another name on the destination: the names of all of them, so that a StatefulSet whose claims were
/// renamed in part is noticed. Empty if all keep theirs.
Json renamed_claims(const Migration& m) {
  Json names = Json::object();
  bool any = false;
  auto volumes = api::carried_volumes(m.plan);
  std::ranges::copy(api::moved_volumes(m.plan), std::back_inserter(volumes));
  for (const auto& volume : volumes) {
    names[volume.claim.str()] = volume.target.name;
    any = any || volume.claim.name != volume.target.name;
  }
  return any ? names : Json::object();
}

}  // namespace

Task<Outcome> ensure_final_restore(Migration& m) {
  auto annotations = velero_annotations(m);
  if (const auto names = renamed_claims(m); !names.empty()) annotations[api::annotations::kClaimNames] = dump(names);
  co_await kube::ensure(*m.destination, kube::types::restores(),
                        velero_object(m, kube::types::restores(), "final", api::labels::kFinalRestore,
                                      std::move(annotations), restore_spec(m, m.velero_name("initial"))));
  co_return done();
}

}  // namespace mtc::migrate
