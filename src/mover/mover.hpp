#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "async/task.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"
#include "volume/transfer.hpp"

namespace mtc::mover {

/// Who we are and whom we believe: a certificate and the authority of this migration.
struct Identity {
  std::string ca_pem;
  net::Certificate certificate;
};

/// How a volume is sent.
struct SendOptions {
  std::string root;
  net::Endpoint to;
  std::string server_name;  ///< in the receiver's certificate; "" = the host of `to`
  Identity identity;
  volume::Wishes wishes;
  volume::Compression compression = volume::Compression::kAuto;
  unsigned lanes = 4;   ///< connections
  unsigned passes = 3;  ///< at most; another one if files changed while they were read
};
/// Sends a tree. Throws Error(kTls) if either side does not belong to the authority, kUnavailable if the network breaks
/// (run it again), and what volume::send_tree says.
Task<volume::Report> send(SendOptions options, net::ConnectorPtr connector);

struct ReceiveOptions {
  std::string root;
  Identity identity;
};
/// Serves one sender at `listener`, its passes and its tries, until a pass is complete or nothing more can be done
/// about it (its files keep changing): returns that pass's report. Connections of strangers are dropped. A pass that
/// breaks off because of the network is forgotten, the sender comes again; what ends a run here (no space, read-only)
/// is thrown.
Task<volume::Report> receive(ReceiveOptions options, net::Listener* listener);

}  // namespace mtc::mover
