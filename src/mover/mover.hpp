#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "async/retry.hpp"
#include "async/task.hpp"
#include "mover/budget.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"
#include "volume/transfer.hpp"

namespace mtc::mover {

/// The DNS names in the certificates of the two ends, which an authority of this migration alone issues.
inline constexpr auto kSenderName = "mtc-sender";
inline constexpr auto kReceiverName = "mtc-receiver";

/// Who we are and whom we believe.
struct Identity {
  std::string ca_pem;
  net::Certificate certificate;
};
/// Reads `ca.crt`, `tls.crt` and `tls.key` of a folder: a Secret of type kubernetes.io/tls as a pod mounts it. Throws
/// Error(kNotFound) naming the file that cannot be read, kInvalid if one is longer than any certificate. Blocks.
Identity load_identity(const std::string& folder);

/// Hears what a person would like to know: which address does not answer and why, that a connection broke.
using Say = std::function<void(const std::string&)>;
/// Hears which way is taken, or waited for ("10.0.0.1:6443", "relay"), and why each one before it failed.
using Take = std::function<void(const std::string& way, const std::vector<std::string>& failed)>;

/// How a volume is sent.
struct SendOptions {
  std::string root;               ///< of the file tree; or the device
  bool device = false;            ///< `root` is a block device
  std::vector<net::Endpoint> to;  ///< ways to one receiver, the best first
  /// The last way, if not null: waits here for somebody who joins us to the receiver, a relay. It may be anybody: the
  /// receiver at the other end of it proves who it is. Outlives the run.
  net::Listener* relayed = nullptr;
  Identity identity;
  volume::Wishes wishes;
  volume::Compression compression = volume::Compression::kAuto;
  Budget budget;
  unsigned lanes = 4;                       ///< connections
  unsigned passes = 2;                      ///< at most; another one if files changed while they were read
  Duration dial = std::chrono::seconds(5);  ///< for one address: connection and handshake
  Duration silence = volume::kSilence;      ///< see volume::attended
  /// A receiver that does not answer, or a connection that breaks, is tried again as long as nothing has moved for this
  /// long.
  Duration patience = std::chrono::minutes(3);
  async::Backoff backoff{std::chrono::milliseconds(500), std::chrono::seconds(15)};
  volume::Progress* progress = nullptr;  ///< outlives the run
  Say say = [](const std::string&) {};
  Take take = [](const std::string&, const std::vector<std::string>&) {};
};
/// Sends a tree or a device; goes on where it broke off when the network breaks. What ends it here is told to the
/// receiver, if that can be reached. Throws Error(kTls) if either side does not belong to the authority, kUnavailable
/// if no address answered or the network broke for too long (each address with its reason), and what volume::send_tree
/// says.
Task<volume::Report> send(SendOptions options, net::ConnectorPtr connector);

struct ReceiveOptions {
  std::string root;
  bool device = false;  ///< `root` is a block device
  Identity identity;
  bool verify = false;        ///< read back and compare, also if the sender does not wish it
  bool allow_losses = false;  ///< see volume::ReceiveOptions
  Duration silence = volume::kSilence;
  Duration patience = std::chrono::hours(1);   ///< how long to wait for a sender, at first and after it went
  Duration linger = std::chrono::seconds(30);  ///< and for one that may not have heard the end
  volume::Progress* progress = nullptr;        ///< outlives the run
  Say say = [](const std::string&) {};
};
/// Serves one sender at `listener`, its passes and its tries, until a pass is complete or nothing more can be done
/// about it (its files keep changing): returns that pass's report. Whoever is not the sender of this authority gets
/// nothing and disturbs nobody. If the network breaks, or the sender comes again before we noticed, its next session
/// goes on. Throws what ends a run here (no space, read-only), what the sender says that ended it there, and
/// Error(kTimeout) if no sender comes.
Task<volume::Report> receive(ReceiveOptions options, net::Listener* listener);

}  // namespace mtc::mover
