#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/rng.hpp"
#include "kube/client.hpp"

namespace mtc::migrate::volumes {

/// What a relay joins: a sender that waits for one, and the receiver that it is to reach. Both are pods.
struct RelayEnds {
  kube::ClientPtr source, destination;
  kube::ObjectKey sender, receiver;
};

/// Relays between pods of two clusters, by way of their API servers (net/relay.hpp). They run in the background, each
/// for an owner, "ns/name" of a DirectVolumeMigration. A controller that was killed has none: whoever needs one asks
/// for it again, and the movers go on where they were.
class Relays {
 public:
  virtual ~Relays() = default;
  /// Begins the relay of that sender, unless it runs. One that failed begins again after a pause, which grows to 5
  /// seconds while it goes on failing. Returns why a connection failed last; nullopt once one has reached the receiver.
  virtual std::optional<Error> ensure(const std::string& owner, RelayEnds ends) = 0;
  /// Ends the relays of `owner`, except those of these senders.
  virtual void keep(const std::string& owner, const std::set<kube::ObjectKey>& senders) = 0;
};

/// Relays with an end.
class OwnedRelays : public Relays {
 public:
  /// Cancels what runs and waits for it. Await it before destruction.
  virtual Task<void> stop() = 0;
};
/// `rng` outlives them.
Task<std::unique_ptr<OwnedRelays>> make_relays(Rng* rng);

}  // namespace mtc::migrate::volumes
