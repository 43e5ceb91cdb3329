#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "migrate/moved/manifests.hpp"
#include "migrate/quiesce.hpp"

namespace mtc::migrate::moved {
namespace {

constexpr auto kLimit = std::chrono::minutes(15);
constexpr auto kLook = std::chrono::seconds(10);

const auto& kVolumes = kube::types::persistent_volumes();
const auto& kClaims = kube::types::persistent_volume_claims();

/// By name: a volume that the plan has moved, as either cluster holds it.
struct Moved {
  std::optional<Json> source, twin;
};
using MovedByName = std::map<std::string, Moved>;

/// An account that may not see volumes has never moved any.
Task<std::vector<Json>> volumes_with(kube::ClientPtr cluster, std::string selector) {
  try {
    const kube::ListOptions labelled{.label_selector = std::move(selector)};
    co_return co_await kube::list_all(*cluster, kVolumes, "", labelled);
  } catch (const Error& error) {
    if (error.code() != Code::kForbidden) throw;
  }
  co_return std::vector<Json>{};
}

/// The plan is not asked: it names no volume any more whose claim is gone from the source.
Task<MovedByName> moved_by_plan(Migration& m) {
  MovedByName out;
  for (auto& volume : co_await volumes_with(m.source, fmt::format("{}={}", api::labels::kMovedByPlan, m.plan.uid)))
    out[kube::key_of(volume).name].source = std::move(volume);
  for (auto& twin :
       co_await volumes_with(m.destination, fmt::format("{}={}", api::labels::kMigratedByPlan, m.plan.uid)))
    out[kube::key_of(twin).name].twin = std::move(twin);
  for (auto& [name, volume] : out)  // one that somebody made again has no label
    if (!volume.source) volume.source = co_await m.source->get(kVolumes, {"", name});
  co_return out;
}

/// Claims of the destination whose volumes are moved ones.
Task<std::vector<Json>> claims_there(Migration& m) {
  std::vector<Json> out;
  const kube::ListOptions ours{.label_selector = fmt::format("{}={}", api::labels::kMovedByPlan, m.plan.uid)};
  for (const auto& ns : m.destination_namespaces()) {
    for (auto& claim : co_await kube::list_all(*m.destination, kClaims, ns, ours)) out.push_back(std::move(claim));
  }
  co_return out;
}

Task<Outcome> await_gone(Migration& m, kube::ResourceType type, const std::vector<Json>& left, std::string why) {
  std::vector<std::string> names;
  std::set<std::string> namespaces;
  for (const auto& object : left) {
    names.push_back(kube::key_of(object).str());
    namespaces.insert(kube::key_of(object).ns);
  }
  if (m.in_phase() > kLimit) {
    co_return fail("MigrationFailed",
                   {fmt::format("{} [{}] of the destination are not gone after 15 minutes{}: nothing was started on "
                                "the source, which would use the same volumes. See to it that they go, then: mtc "
                                "migrate {} --rollback",
                                type.plural, join(names, ","), why, m.plan.self.name)});
  }
  m.progress.push_back(
      fmt::format("{} {} of moved volumes are being deleted on the destination{}", left.size(), type.plural, why));
  std::vector<Subject> subjects;
  subjects.reserve(namespaces.size());
  for (const auto& ns : namespaces) subjects.push_back({m.destination, type, ns, ""});
  co_return wait_for(std::move(subjects), kLook);
}

/// A claim goes when no pod uses it any more, so what uses it is stopped.
Task<Outcome> remove_claims(Migration& m, std::vector<Json> claims) {
  std::set<kube::ObjectKey> keys;
  for (const auto& claim : claims) keys.insert(kube::key_of(claim));
  const Quiesced users{.namespaces = m.destination_namespaces(), .selector = "", .claims = keys};
  co_await quiesce(m.destination, users);
  for (const auto& claim : claims)
    if (!kube::is_being_deleted(claim)) co_await m.destination->remove(kClaims, kube::key_of(claim));
  const auto left = co_await claims_there(m);
  if (left.empty()) co_return done();
  auto pods = co_await pods_left(m.destination, users);
  for (auto& pod : pods.stopping) pods.remaining.push_back(std::move(pod));
  co_return co_await await_gone(m, kClaims, left,
                                pods.remaining.empty() ? "" : fmt::format(" (pods [{}])", join(pods.remaining, ",")));
}

Task<Outcome> remove_twins(Migration& m, const MovedByName& moved) {
  std::vector<Json> left;
  for (const auto& [name, volume] : moved) {
    if (!volume.twin) continue;
    if (!kube::is_being_deleted(*volume.twin)) co_await m.destination->remove(kVolumes, {"", name});
    if (auto still = co_await m.destination->get(kVolumes, {"", name})) left.push_back(std::move(*still));
  }
  if (left.empty()) co_return done();
  co_return co_await await_gone(m, kVolumes, left, "");
}

/// Why the source cannot have a volume back; "" if it can.
std::string refusal(const std::string& name, const Moved& volume) {
  const bool bound = volume.source && string_at(*volume.source, "status.phase") == "Bound";
  if (bound) return "";
  return fmt::format(
      "The source {} PersistentVolume {} any more, so it stays on the destination with its claim {}, and nothing was "
      "deleted. Make the volume and its claim on the source again, for the same storage, and roll back then; or keep "
      "the application where it is.",
      volume.source ? "has no claim for" : "has no", name, claim_of(*volume.twin).str());
}

Task<Outcome> retain(Migration& m, MovedByName moved) {
  std::vector<std::string> reasons;
  for (const auto& [name, volume] : moved) {
    if (!volume.twin) continue;
    if (auto why = refusal(name, volume); !why.empty()) reasons.push_back(std::move(why));
  }
  if (!reasons.empty()) co_return fail("MigrationFailed", std::move(reasons));
  for (const auto& [name, volume] : moved) {
    const auto patch = volume.twin ? retaining(*volume.twin) : Json();
    if (!patch.is_null()) co_await m.destination->patch(kVolumes, {"", name}, kube::PatchKind::kMerge, patch);
  }
  co_return done();
}

}  // namespace

Task<Outcome> retain_on_destination(Migration& m) { co_return co_await retain(m, co_await moved_by_plan(m)); }

Task<std::vector<std::string>> handed_over_before(Migration& m) {
  std::vector<std::string> out;
  for (const auto& [name, volume] : co_await moved_by_plan(m)) {
    const bool before = volume.twin && is_handed_over(*volume.twin) &&
                        kube::label(*volume.twin, api::labels::kMigratedByMigration) != m.self.uid;
    if (before) out.push_back(name);
  }
  co_return out;
}

Task<Outcome> take_back(Migration& m) {
  const auto moved = co_await moved_by_plan(m);
  if (moved.empty()) co_return done();
  if (auto outcome = co_await retain(m, moved); outcome.kind != Outcome::Kind::kDone) co_return outcome;
  if (auto claims = co_await claims_there(m); !claims.empty()) {
    auto outcome = co_await remove_claims(m, std::move(claims));
    if (outcome.kind != Outcome::Kind::kDone) co_return outcome;
  }
  if (auto outcome = co_await remove_twins(m, moved); outcome.kind != Outcome::Kind::kDone) co_return outcome;
  for (const auto& [name, volume] : moved) {
    if (volume.source)
      co_await m.source->patch(kVolumes, {"", name}, kube::PatchKind::kMerge, restoring(*volume.source));
  }
  co_return done();
}

}  // namespace mtc::migrate::moved
