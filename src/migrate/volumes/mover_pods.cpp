#include "migrate/volumes/mover_pods.hpp"

#include <fmt/format.h>

namespace mtc::migrate::volumes {

Json receiver_pod(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt, const std::string& image) {
  Mover mover{.ns = claim.target.ns,
              .name = receiver_name(c, claim, attempt),
              .image = image,
              .claim = claim.target.name,
              .secret = receiver_secret(c),
              .labels = receiver_labels(c, claim, attempt),
              .args = {"mover", "receive", "--volume", kVolume, "--listen", fmt::format("$(POD_IP):{}", kPort), "--tls",
                       kIdentity}};
  if (claim.verify || c.is_cutover()) mover.args.emplace_back("--verify");
  return pod_of(mover);
}

Json sender_pod(const Copying& c, const api::ClaimCopy& claim, std::int64_t attempt, const std::string& image,
                const std::vector<std::string>& addresses, const std::string& node) {
  Mover mover{.ns = claim.source.ns,
              .name = sender_name(c, claim, attempt),
              .image = image,
              .claim = claim.source.name,
              .secret = sender_secret(c),
              .labels = sender_labels(c, claim, attempt),
              .args = {"mover", "send", "--volume", kVolume},
              .reads_only = true,
              .node = node};
  for (const auto& address : addresses) mover.args.insert(mover.args.end(), {"--to", address});
  mover.args.insert(mover.args.end(), {"--tls", kIdentity, "--mode", c.is_cutover() ? "cutover" : "stage"});
  // Files of the same size and time are the same, unless a user wants to know.
  if (claim.verify) mover.args.emplace_back("--by-hash");
  return pod_of(mover);
}

}  // namespace mtc::migrate::volumes
