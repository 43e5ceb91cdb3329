#include "migrate/volumes/destination.hpp"

#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "plan/claim_size.hpp"
#include "plan/storage_classes.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kPatience = std::chrono::minutes(2);
constexpr auto kGrowth = std::chrono::minutes(5);  ///< drivers take their time
constexpr auto kLook = std::chrono::seconds(30);
constexpr auto kOwnName = "kubernetes.io/metadata.name";

/// They carry the range of user ids and the level that Pod Security enforces.
Json namespace_like(const Json& source, const std::string& name) {
  Json metadata = {{"name", name}};
  for (const auto* part : {"annotations", "labels"}) {
    auto copied = object_at(source, std::string("metadata.") + part);
    for (const auto* own :
         {kOwnName, "kubectl.kubernetes.io/last-applied-configuration", api::labels::kIncludedInStage})
      copied.erase(own);
    if (!copied.empty()) metadata[part] = std::move(copied);
  }
  return {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", std::move(metadata)}};
}

/// Why this claim of the source cannot be read; "" if it can.
std::string unfit(const api::Ref& claim, const Json& source) {
  const auto phase = string_at(source, "status.phase");
  if (phase != "Bound") {
    return fmt::format("PersistentVolumeClaim {} of the source is {}: it has no volume to copy.", claim.str(),
                       phase.empty() ? "not bound" : phase);
  }
  return "";
}

/// What target_claim() must know of the volume.
Task<Json> volume_of(kube::ClientPtr source, Json claim) {
  if (!plan::is_device(claim)) co_return Json::object();
  std::optional<Json> volume;
  try {
    volume = co_await source->get(kube::types::persistent_volumes(), {"", string_at(claim, "spec.volumeName")});
  } catch (const Error& error) {
    if (error.code() != Code::kForbidden) throw;  // the claim's own status tells as much, nearly always
  }
  co_return volume ? std::move(*volume) : Json::object();
}

/// Whether its cluster lets a claim ask for more.
Task<bool> can_grow(kube::ClientPtr cluster, Json claim) {
  if (string_at(claim, "status.phase") != "Bound") co_return false;
  const auto classes = co_await plan::storage_classes_of(cluster);
  const auto* its_class = plan::find_class(classes, plan::class_of(claim));
  co_return its_class != nullptr && its_class->expands;
}

/// Makes a claim of an earlier migration as large as `target` if it can grow. What is still to come; "" if nothing is.
Task<std::string> grow(kube::ClientPtr cluster, Json claim, Json target) {
  const auto& type = kube::types::persistent_volume_claims();
  if (const auto patch = growth_of(claim, target); !patch.is_null()) {
    if (!co_await can_grow(cluster, claim)) co_return "";  // what is there will do: check_claims
    claim = co_await cluster->patch(type, kube::key_of(claim), kube::PatchKind::kMerge, patch);
  }
  if (!is_growing(claim, target)) co_return "";
  auto out = fmt::format("PersistentVolumeClaim {} of the destination was asked to grow to {}, and has {}.",
                         kube::key_of(claim).str(), plan::requested_by(target), plan::size_of(claim));
  for (const auto& condition : array_at(claim, "status.conditions")) {
    if (const auto message = string_at(condition, "message"); !message.empty()) out += " " + message;
  }
  co_return out;
}

}  // namespace

Task<Outcome> ensure_namespaces(Destination d) {
  std::map<std::string, std::string> source_of;
  for (const auto& claim : d.claims) source_of.emplace(claim.target.ns, claim.source.ns);
  for (const auto& [name, source] : source_of) {
    const auto like = co_await kube::must_get(*d.source, kube::types::namespaces(), {"", source});
    const auto [stored, made] =
        co_await kube::ensure(*d.destination, kube::types::namespaces(), namespace_like(like, name));
    if (!kube::is_being_deleted(stored)) continue;
    if (d.waited > kPatience) {
      co_return fail(d.failed_phase,
                     {fmt::format("Namespace {} of the destination is being deleted and does not go.", name)});
    }
    co_return wait_for({{d.destination, kube::types::namespaces(), "", ""}}, kLook);
  }
  co_return done();
}

Task<Outcome> check_claims(Destination d) {
  const auto& type = kube::types::persistent_volume_claims();
  std::vector<std::string> refusals;
  for (const auto& claim : d.claims) {
    const auto source = co_await kube::must_get(*d.source, type, {claim.source.ns, claim.source.name});
    if (auto why = unfit(claim.source, source); !why.empty()) refusals.push_back(std::move(why));
    const auto target = target_claim(d.maker, claim, source, co_await volume_of(d.source, source));
    const auto existing = co_await d.destination->get(type, kube::key_of(target));
    if (!existing) continue;
    if (kube::is_being_deleted(*existing)) {
      if (d.waited < kPatience) co_return wait_for({{d.destination, type, claim.target.ns, ""}}, kLook);
      refusals.push_back(fmt::format("PersistentVolumeClaim {} of the destination is being deleted and does not go.",
                                     claim.target.str()));
    } else if (auto why = refusal_of(d.maker, *existing, target); !why.empty()) {
      refusals.push_back(std::move(why));
    } else if (auto lack = shortage_of(claim, *existing, target); !lack.empty()) {
      if (!co_await can_grow(d.destination, *existing)) refusals.push_back(std::move(lack));
    }
  }
  co_return refusals.empty() ? done() : fail(d.failed_phase, std::move(refusals));
}

Task<Outcome> ensure_claims(Destination d) {
  const auto& type = kube::types::persistent_volume_claims();
  if (auto looked = co_await check_claims(d); looked.kind != Outcome::Kind::kDone) co_return looked;
  std::vector<std::string> growing;
  std::vector<Subject> subjects;
  for (const auto& claim : d.claims) {
    const auto source = co_await kube::must_get(*d.source, type, {claim.source.ns, claim.source.name});
    const auto target = target_claim(d.maker, claim, source, co_await volume_of(d.source, source));
    const auto [stored, made] = co_await kube::ensure(*d.destination, type, target);
    // Somebody was quicker.
    if (const auto why = made ? std::string() : refusal_of(d.maker, stored, target); !why.empty())
      co_return fail(d.failed_phase, {why});
    if (made) continue;
    if (auto what = co_await grow(d.destination, stored, target); !what.empty()) {
      growing.push_back(std::move(what));
      subjects.push_back({d.destination, type, claim.target.ns, ""});
    }
  }
  if (growing.empty()) co_return done();
  if (d.waited > kGrowth) co_return fail(d.failed_phase, std::move(growing));
  co_return wait_for(std::move(subjects), kLook);
}

}  // namespace mtc::migrate::volumes
