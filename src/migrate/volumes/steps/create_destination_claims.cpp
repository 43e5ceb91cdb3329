#include <fmt/format.h>

#include "migrate/volumes/steps/steps.hpp"
#include "migrate/volumes/target_claim.hpp"

namespace mtc::migrate::volumes {
namespace {

constexpr auto kPatience = std::chrono::minutes(2);

/// Why the files of this claim cannot be copied; "" if they can.
std::string unfit(const api::ClaimCopy& claim, const Json& source) {
  if (string_at(source, "spec.volumeMode") == "Block") {
    return fmt::format(
        "PersistentVolumeClaim {} of the source has volumeMode Block, which this release does not copy: "
        "choose action skip for its volume in the plan.",
        claim.source.str());
  }
  const auto phase = string_at(source, "status.phase");
  if (phase != "Bound") {
    return fmt::format("PersistentVolumeClaim {} of the source is {}: it has no volume to copy.", claim.source.str(),
                       phase.empty() ? "not bound" : phase);
  }
  return "";
}

}  // namespace

Task<Outcome> create_destination_claims(Copying& c) {
  const auto& type = kube::types::persistent_volume_claims();
  std::vector<std::string> refusals;
  std::vector<Json> wanted;
  for (const auto& claim : c.self.claims) {
    const auto source = co_await kube::must_get(*c.source, type, {claim.source.ns, claim.source.name});
    if (auto why = unfit(claim, source); !why.empty()) refusals.push_back(std::move(why));
    wanted.push_back(target_claim(c, claim, source));
  }
  for (const auto& target : wanted) {  // All are looked at before the first is made.
    const auto existing = co_await c.destination->get(type, kube::key_of(target));
    if (!existing) continue;
    if (!string_at(*existing, "metadata.deletionTimestamp").empty()) {
      if (c.in_phase() < kPatience)
        co_return wait_for({{c.destination, type, kube::key_of(target).ns, ""}}, std::chrono::seconds(30));
      refusals.push_back(fmt::format("PersistentVolumeClaim {} of the destination is being deleted and does not go.",
                                     kube::key_of(target).str()));
    } else if (auto why = refusal_of(c, *existing, target); !why.empty()) {
      refusals.push_back(std::move(why));
    }
  }
  if (!refusals.empty()) co_return fail("MigrationFailed", std::move(refusals));
  for (auto& target : wanted) {
    const auto [stored, made] = co_await kube::ensure(*c.destination, type, target);
    // Somebody was quicker.
    if (const auto why = made ? std::string() : refusal_of(c, stored, target); !why.empty())
      co_return fail("MigrationFailed", {why});
  }
  co_return done();
}

}  // namespace mtc::migrate::volumes
