#include "migrate/volumes/destination.hpp"

#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "base/error.hpp"
#include "plan/claim_size.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kPatience = std::chrono::minutes(2);
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
    } else if (auto lack = shortage_of(claim, *existing); !lack.empty()) {
      refusals.push_back(std::move(lack));
    }
  }
  co_return refusals.empty() ? done() : fail(d.failed_phase, std::move(refusals));
}

Task<Outcome> ensure_claims(Destination d) {
  const auto& type = kube::types::persistent_volume_claims();
  if (auto looked = co_await check_claims(d); looked.kind != Outcome::Kind::kDone) co_return looked;
  for (const auto& claim : d.claims) {
    const auto source = co_await kube::must_get(*d.source, type, {claim.source.ns, claim.source.name});
    const auto target = target_claim(d.maker, claim, source, co_await volume_of(d.source, source));
    const auto [stored, made] = co_await kube::ensure(*d.destination, type, target);
    // Somebody was quicker.
    if (const auto why = made ? std::string() : refusal_of(d.maker, stored, target); !why.empty())
      co_return fail(d.failed_phase, {why});
  }
  co_return done();
}

}  // namespace mtc::migrate::volumes
