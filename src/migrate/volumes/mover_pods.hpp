#pragma once

#include <string>
#include <vector>

#include "migrate/volumes/copying.hpp"
#include "plan/mover_pod.hpp"

namespace mtc::migrate::volumes {

/// The pod that writes into a claim on the destination, which is `target`.
plan::Mover receiver(const Copying& c, const api::ClaimCopy& claim, const Json& target, std::int64_t attempt,
                     const std::string& image);
/// Makes it, unless it is there.
Task<void> ensure_receiver(const Copying& c, api::ClaimCopy claim, std::int64_t attempt);
/// The pod that reads the source's, which is `source`. It tries `addresses` in their order, then waits for a relay.
/// `node`, if not empty, is where it must run, because a volume that one node alone may mount is in use there.
plan::Mover sender(const Copying& c, const api::ClaimCopy& claim, const Json& source, std::int64_t attempt,
                   const std::string& image, const std::vector<std::string>& addresses, const std::string& node);
/// Makes it, unless it is there.
Task<void> ensure_sender(const Copying& c, api::ClaimCopy claim, plan::Mover sender);

}  // namespace mtc::migrate::volumes
