#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "net/stream.hpp"

namespace mtc::net {

enum class Verify { kYes, kNo };
/// The oldest version that an end speaks.
enum class TlsVersion { k12, k13 };

/// How to speak TLS as a client. TLS 1.2 and 1.3 only.
struct TlsClientOptions {
  Verify verify = Verify::kYes;
  std::string ca_pem;       ///< the trust anchors, of any kind; empty = the system's roots
  std::string cert_pem;     ///< client certificate chain, or empty
  Secret key_pem;           ///< its key
  std::string server_name;  ///< overrides the name that is checked and sent as SNI; empty = the host connected to
  std::string peer_name;    ///< overrides the name that is checked, but not SNI (by which routers choose a way)
  TlsVersion minimum = TlsVersion::k12;
};

/// Parsed certificates: make one for each cluster or store, not for each connection (OpenSSL 3.0 is slow at loading
/// trust stores). Shared by copies; use it on one Runtime.
class TlsClient {
 public:
  /// Throws Error(kTls) naming what cannot be read: the CA bundle, the certificate or the key.
  explicit TlsClient(TlsClientOptions options);
  /// Handshakes over `transport` and checks the peer's certificate against `host` (name or IP address). Throws
  /// Error(kTls) with the cause in words: "certificate has expired", "certificate is valid for a, b, not for c",
  /// "certificate signed by unknown authority", "the peer does not speak TLS"; Error(kUnavailable) if the peer ends the
  /// connection. A silent peer is not given up on: put async::with_timeout around it.
  Task<StreamPtr> handshake(StreamPtr transport, std::string host) const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

/// A server's certificate. `client_ca_pem`, if not empty, asks clients for a certificate of that CA (optional to
/// present). With `client_name` too, nobody gets in without a certificate of that CA for that DNS name.
struct TlsServerOptions {
  std::string cert_pem;
  Secret key_pem;
  std::string client_ca_pem;
  std::string client_name = {};
  TlsVersion minimum = TlsVersion::k12;
};

/// What a peer proved about itself in the handshake.
struct PeerIdentity {
  std::string common_name;                 ///< subject CN of a verified client certificate; "" if none was presented
  std::vector<std::string> organizations;  ///< subject O values
};

class TlsServer {
 public:
  /// Throws Error(kTls) naming what cannot be read.
  explicit TlsServer(TlsServerOptions options);
  struct Accepted {
    StreamPtr stream;
    PeerIdentity peer;
  };
  /// Throws as the client's handshake. A certificate that a client presents must be of the client CA. Mind that a
  /// client of TLS 1.3 learns of a refusal only when it reads.
  Task<Accepted> handshake(StreamPtr transport) const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

/// A key pair and a certificate, PEM.
struct Certificate {
  std::string cert_pem;
  Secret key_pem;
};
/// A new P-256 certificate authority, valid for ten years from `now` minus an hour.
Certificate make_ca(std::string_view common_name, Time now);
/// A certificate signed by `ca`. `sans` holds DNS names and IP addresses; `organizations` become subject O values
/// (client certificates of Kubernetes: group names). Valid from `now` minus an hour for `lifetime`. Error(kInvalid) if
/// its subject is the authority's own.
Certificate issue_certificate(const Certificate& ca, std::string_view common_name, const std::vector<std::string>& sans,
                              const std::vector<std::string>& organizations, Time now,
                              Duration lifetime = std::chrono::hours(24 * 365 * 10));

}  // namespace mtc::net
