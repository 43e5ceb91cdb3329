#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "net/stream.hpp"

namespace mtc::net {

/// "host:port" in parts; `host` may be a name, an IPv4 or an IPv6 address (without brackets).
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};
/// "host:port", IPv6 in brackets.
std::string text_of(const Endpoint& at);
/// Reads what text_of writes; nothing if there is no host, or no port from 0 to 65535.
std::optional<Endpoint> parse_endpoint(std::string_view text);

/// Opens streams. The seam where tests and tunnels put something else than the network.
class Connector {
 public:
  virtual ~Connector() = default;
  /// Throws Error(kNotFound) for an unknown host name, kUnavailable for refused or unreachable (also a name server),
  /// and kTimeout after the connector's limit.
  virtual Task<StreamPtr> connect(Endpoint to) = 0;
};
using ConnectorPtr = std::shared_ptr<Connector>;

/// Connects over TCP: resolves, tries each address in turn, sets TCP_NODELAY and keep-alive probes (a peer that
/// vanishes in silence fails a waiting read within about a minute). `limit` bounds the whole.
ConnectorPtr tcp_connector(Duration limit = std::chrono::seconds(10));

/// Which proxy a request takes.
struct ProxySettings {
  std::string url;       ///< "http://[user:password@]host:port"; empty = none
  std::string no_proxy;  ///< comma list: hosts, ".suffix", IP addresses, CIDR blocks, "*"; as Go's httpproxy reads it
};
/// HTTPS_PROXY (or https_proxy) and NO_PROXY of the environment.
ProxySettings proxy_from_environment();
/// Goes through the proxy with CONNECT (RFC 9110 §9.3.6) unless `settings` exempt the target; then straight.
/// Throws Error(kUnavailable) naming the proxy and its status line if it refuses, kTimeout if it does not answer within
/// half a minute, kInvalid if its URL cannot be used (on connect: an exempt target needs no proxy).
ConnectorPtr proxy_connector(ProxySettings settings, ConnectorPtr direct);

/// Accepts TCP connections.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Throws the cancellation when cancelled or closed.
  virtual Task<StreamPtr> accept() = 0;
  virtual Endpoint local() const = 0;
  virtual void close() = 0;
};
/// Binds `at` (port 0 = any free port) on the executor of the calling task. Throws Error(kUnavailable) naming the
/// address.
Task<std::unique_ptr<Listener>> listen_tcp(Endpoint at);

}  // namespace mtc::net
