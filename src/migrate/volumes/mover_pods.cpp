#include "migrate/volumes/mover_pods.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/names.hpp"
#include "migrate/volumes/budget.hpp"
#include "migrate/volumes/making.hpp"
#include "plan/claim_size.hpp"

namespace mtc::migrate::volumes {
namespace {

/// The mover's subcommand, and where its volume is.
std::vector<std::string> command(const char* what, const Json& claim) {
  if (plan::is_device(claim)) return {"mover", what, "--device", plan::kDevice};
  return {"mover", what, "--volume", plan::kVolume};
}

/// For the other end, or for a relay.
void listen(plan::Mover& mover) {
  mover.args.insert(mover.args.end(), {"--listen", fmt::format("$(POD_IP):{}", kPort), "--forwarded"});
}

}  // namespace

plan::Mover receiver(const Copying& c, const api::ClaimCopy& claim, const Json& target, std::int64_t attempt,
                     const std::string& image) {
  plan::Mover mover{.ns = claim.target.ns,
                    .name = receiver_name(c, claim, attempt),
                    .image = image,
                    .claim = claim.target.name,
                    .secret = receiver_secret(c),
                    .labels = receiver_labels(c, claim, attempt),
                    .args = command("receive", target),
                    .device = plan::is_device(target)};
  listen(mover);
  mover.args.insert(mover.args.end(), {"--tls", plan::kIdentity});
  if (claim.verify || c.is_cutover()) mover.args.emplace_back("--verify");
  return mover;
}

Task<void> ensure_receiver(const Copying& c, api::ClaimCopy claim, std::int64_t attempt) {
  const auto target = co_await kube::must_get(*c.destination, kube::types::persistent_volume_claims(),
                                              {claim.target.ns, claim.target.name});
  const auto image = co_await plan::mover_image(c.destination);
  co_await ensure_mover({.cluster = c.destination,
                         .mover = receiver(c, claim, target, attempt, image),
                         .source = c.source,
                         .claim = claim.source,
                         .run_as = c.run_as,
                         .owner = api::labels::kDirectVolumeMigration});
}

plan::Mover sender(const Copying& c, const api::ClaimCopy& claim, const Json& source, std::int64_t attempt,
                   const std::string& image, const std::vector<std::string>& addresses, const std::string& node) {
  plan::Mover mover{.ns = claim.source.ns,
                    .name = sender_name(c, claim, attempt),
                    .image = image,
                    .claim = claim.source.name,
                    .secret = sender_secret(c),
                    .labels = sender_labels(c, claim, attempt),
                    .args = command("send", source),
                    .reads_only = true,
                    .device = plan::is_device(source),
                    .node = node};
  for (const auto& address : addresses) mover.args.insert(mover.args.end(), {"--to", address});
  listen(mover);
  mover.args.insert(mover.args.end(), {"--tls", plan::kIdentity, "--mode", c.is_cutover() ? "cutover" : "stage"});
  // Files of the same size and time are the same, unless a user wants to know.
  if (claim.verify) mover.args.emplace_back("--by-hash");
  bound(mover, c.settings.newcomers);
  return mover;
}

Task<void> ensure_sender(const Copying& c, api::ClaimCopy claim, plan::Mover sender) {
  co_await ensure_mover({.cluster = c.source,
                         .mover = std::move(sender),
                         .source = c.source,
                         .claim = claim.source,
                         .run_as = c.run_as,
                         .owner = api::labels::kDirectVolumeMigration});
}

}  // namespace mtc::migrate::volumes
