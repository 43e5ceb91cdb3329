#include <set>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "migrate/moved/manifests.hpp"

namespace mtc::migrate::moved {
namespace {

constexpr auto kFailedPhase = "StageRestoreFailed";
constexpr auto kPatience = std::chrono::minutes(5);
constexpr auto kLook = std::chrono::seconds(10);

const auto& kVolumes = kube::types::persistent_volumes();
const auto& kClaims = kube::types::persistent_volume_claims();

Task<void> patch_volume(kube::ClientPtr cluster, std::string name, Json patch) {
  if (patch.is_null()) co_return;
  co_await cluster->patch(kVolumes, {"", name}, kube::PatchKind::kMerge, patch);
}

/// One that an earlier migration of the plan, which did not come to its end, has left.
Task<void> take_up(Migration& m, Json twin) {
  auto patch = retaining(twin);
  patch["metadata"]["labels"] = {{api::labels::kMigratedByMigration, m.self.uid}};
  // A claim that somebody deleted leaves its volume behind as one that nobody else can have.
  if (string_at(twin, "status.phase") == "Released")
    patch["spec"]["claimRef"] = {{"uid", nullptr}, {"resourceVersion", nullptr}};
  co_await patch_volume(m.destination, kube::key_of(twin).name, std::move(patch));
}

Task<std::string> make(Migration& m, api::PlanVolume volume) {
  const auto source = co_await kube::must_get(*m.source, kVolumes, {"", volume.pv});
  const auto [twin, made] = co_await kube::ensure(*m.destination, kVolumes, twin_of(m, volume, source));
  // Somebody was quicker.
  if (!is_ours(m, twin)) {
    co_return fmt::format("PersistentVolume {} came to the destination meanwhile, and was not made by this plan.",
                          volume.pv);
  }
  if (!made && !is_handed_over(twin)) co_await take_up(m, twin);
  const auto like = co_await kube::must_get(*m.source, kClaims, {volume.claim.ns, volume.claim.name});
  const auto [claim, is_new] = co_await kube::ensure(*m.destination, kClaims, claim_for(m, volume, source, like));
  if (!is_for_twin(m, claim)) {
    co_return fmt::format("PersistentVolumeClaim {} came to the destination meanwhile, and was not made by this plan.",
                          volume.target.str());
  }
  co_return "";
}

/// What the cluster last said of a claim; "" from one that does not say it to us.
Task<std::string> last_event(kube::ClientPtr cluster, api::Ref claim) {
  const kube::ListOptions of_it{.field_selector = fmt::format("involvedObject.name={}", claim.name)};
  std::vector<Json> events;
  try {
    events = co_await kube::list_all(*cluster, kube::types::events(), claim.ns, of_it);
  } catch (const Error& error) {
    if (error.code() != Code::kForbidden) throw;
  }
  std::string when, what;
  for (const auto& event : events) {
    if (string_at(event, "involvedObject.kind") != "PersistentVolumeClaim") continue;
    auto time = string_at(event, "lastTimestamp");
    if (time.empty()) time = string_at(event, "eventTime");
    if (time < when) continue;
    when = time;
    what = string_at(event, "message");
  }
  co_return what;
}

/// Why a claim is not bound; "" if it is.
Task<std::string> obstacle(Migration& m, api::PlanVolume volume) {
  const auto claim = co_await m.destination->get(kClaims, {volume.target.ns, volume.target.name});
  if (!claim) co_return fmt::format("PersistentVolumeClaim {} of the destination was deleted", volume.target.str());
  const auto phase = string_at(*claim, "status.phase");
  if (phase == "Bound" && string_at(*claim, "spec.volumeName") == volume.pv) co_return "";
  const auto twin = co_await m.destination->get(kVolumes, {"", volume.pv});
  auto said = twin ? string_at(*twin, "status.message") : std::string();
  if (said.empty()) said = co_await last_event(m.destination, volume.target);
  co_return fmt::format("PersistentVolumeClaim {} of the destination is {}, PersistentVolume {} is {}{}{}",
                        volume.target.str(), phase.empty() ? "Pending" : phase, volume.pv,
                        twin ? string_at(*twin, "status.phase") : "gone", said.empty() ? "" : ": ", said);
}

}  // namespace

Task<void> retain_on_source(Migration& m) {
  for (const auto& volume : volumes_of(m)) {
    const auto source = co_await kube::must_get(*m.source, kVolumes, {"", volume.pv});
    auto patch = retaining(source);
    if (kube::label(source, api::labels::kMovedByPlan) != m.plan.uid)
      patch["metadata"]["labels"] = {{api::labels::kMovedByPlan, m.plan.uid}};
    co_await patch_volume(m.source, volume.pv, std::move(patch));
  }
}

Task<Outcome> bind(Migration& m) {
  auto reasons = co_await hindrances(m, Stopped::kAlready);
  if (!reasons.empty()) co_return fail(kFailedPhase, std::move(reasons));
  for (const auto& volume : volumes_of(m)) {
    if (const auto why = co_await make(m, volume); !why.empty()) co_return fail(kFailedPhase, {why});
  }
  co_return done();
}

Task<Outcome> await_bound(Migration& m) {
  std::vector<std::string> obstacles;
  std::set<std::string> namespaces;
  for (const auto& volume : volumes_of(m)) {
    if (auto why = co_await obstacle(m, volume); !why.empty()) obstacles.push_back(std::move(why));
    namespaces.insert(volume.target.ns);
  }
  if (obstacles.empty()) co_return done();
  if (m.in_phase() > kPatience) co_return fail(kFailedPhase, std::move(obstacles));
  m.progress = std::move(obstacles);
  std::vector<Subject> subjects;
  subjects.reserve(namespaces.size());
  for (const auto& ns : namespaces) subjects.push_back({m.destination, kClaims, ns, ""});
  co_return wait_for(std::move(subjects), kLook);
}

std::vector<std::string> lines_of(const Migration& m) {
  std::vector<std::string> out;
  for (const auto& volume : volumes_of(m))
    out.push_back(fmt::format("PersistentVolumeClaim {}: Bound to {}", volume.target.str(), volume.pv));
  return out;
}

Task<void> hand_over(Migration& m) {
  for (const auto& volume : volumes_of(m)) {
    const auto twin = co_await kube::must_get(*m.destination, kVolumes, {"", volume.pv});
    if (is_ours(m, twin) && !is_handed_over(twin)) co_await patch_volume(m.destination, volume.pv, restoring(twin));
  }
}

}  // namespace mtc::migrate::moved
