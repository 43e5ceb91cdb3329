#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "migrate/quiesce.hpp"
#include "migrate/steps/migrated_objects.hpp"
#include "migrate/steps/steps.hpp"

namespace mtc::migrate {
namespace {

constexpr auto kLimit = std::chrono::minutes(10);

/// Running pods that mount a claim which the plan's migrations made, as "ns/name".
Task<std::vector<std::string>> users_of_claims(Migration& m) {
  std::vector<std::string> out;
  const kube::ListOptions ours{.label_selector = migrated_selector(m)};
  for (const auto& ns : m.destination_namespaces()) {
    std::set<std::string> claims;
    for (const auto& claim : co_await kube::list_all(*m.destination, kube::types::persistent_volume_claims(), ns, ours))
      claims.insert(kube::key_of(claim).name);
    if (claims.empty()) continue;
    for (const auto& pod : co_await kube::list_all(*m.destination, kube::types::pods(), ns)) {
      const auto phase = string_at(pod, "status.phase");
      if (phase == "Succeeded" || phase == "Failed" || phase == "Unknown") continue;
      const auto& volumes = array_at(pod, "spec.volumes");
      const bool uses = std::ranges::any_of(volumes, [&](const Json& volume) {
        return claims.contains(string_at(volume, "persistentVolumeClaim.claimName"));
      });
      if (uses) out.push_back(kube::key_of(pod).str());
    }
  }
  co_return out;
}

}  // namespace

/// What is not of this plan goes on running.
Task<Outcome> quiesce_destination(Migration& m) {
  Quiesced which{.namespaces = m.destination_namespaces()};
  if (m.flags.storage_conversion) {
    which.claims = m.target_claims();
  } else {
    which.selector = migrated_selector(m);
  }
  co_await quiesce(m.destination, which);
  co_return done();
}

/// The claims cannot go before the pods that mount them. Those of somebody else are named when the claims do not go.
Task<Outcome> ensure_destination_quiesced(Migration& m) {
  const auto left = co_await users_of_claims(m);
  if (left.empty()) co_return done();
  if (m.in_phase() > kLimit) {
    if (!m.flags.storage_conversion) co_return done();
    co_return fail("MigrationFailed",
                   {fmt::format("Pods [{}] still use the new claims after 10 minutes: stop them, and roll back again.",
                                join(left, ","))});
  }
  m.progress.push_back(fmt::format(
      "{} pods still use volumes that will be deleted: {}", left.size(),
      join({left.begin(), left.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(left.size(), 5))}, ", ")));
  std::vector<Subject> subjects;
  for (const auto& ns : m.destination_namespaces()) subjects.push_back({m.destination, kube::types::pods(), ns, ""});
  co_return wait_for(std::move(subjects), std::chrono::seconds(30));
}

}  // namespace mtc::migrate
