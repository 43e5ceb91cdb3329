#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "http/message.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"

namespace mtc::http {

/// Where a Client talks to and within which bounds.
struct ClientOptions {
  Url origin;                                 ///< scheme, host, port; its path is a prefix for every target
  std::shared_ptr<const net::TlsClient> tls;  ///< for https; null = system roots
  net::ConnectorPtr connector;                ///< null = TCP
  std::string user_agent = "mtc";
  std::size_t max_idle_connections = 16;
  std::size_t max_connections = 64;                    ///< requests beyond wait their turn; streams count too
  Duration idle_limit = std::chrono::seconds(60);      ///< idle connections are not used again after this
  Duration response_limit = std::chrono::seconds(60);  ///< from the last byte sent to the response head
  /// Longest silence inside a body: of the peer while it takes ours, and in what send() reads.
  Duration body_stall_limit = std::chrono::seconds(60);
  std::size_t max_header_bytes = 64 * 1024;
  std::uint64_t max_body_bytes = 256ull * 1024 * 1024;  ///< for send(); open() is bounded by its reader
};

/// A response whose body is read piece by piece. Dropping it before the end closes the connection; reading to the end
/// returns it to the pool.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  virtual const ResponseHead& head() const = 0;
  /// The next bytes of the decoded body (valid until the next call); empty at its end. Throws Error(kUnavailable) if
  /// the peer ends before Content-Length or the last chunk, kCorrupt for malformed chunks, kTimeout after `stall` of
  /// silence (zero = wait for ever, for watches). A cancelled or failed read ends the stream.
  virtual Task<std::string_view> read(Duration stall = Duration::zero()) = 0;
};
using ResponseStreamPtr = std::unique_ptr<ResponseStream>;

/// An HTTP/1.1 client (RFC 9112) with a pool of connections to one origin. For tasks of one Runtime; copies share the
/// pool.
///
/// A request that was sent on a kept-alive connection which the server had closed is sent once more on a new one if
/// nothing of a response arrived and its method is idempotent; other retries are the caller's. Redirects are not
/// followed. Status codes are not errors here. Errors: kInvalid for a request that cannot be put on the wire; what the
/// Connector and the TlsClient throw; kUnavailable for connections that break; kTimeout beyond the limits above;
/// kCorrupt for answers that are no HTTP. Their text names method and URL, without the query: it may hold a signature.
class Client {
 public:
  explicit Client(ClientOptions options);
  /// Sends and reads the whole response.
  Task<Response> send(Request request);
  /// Sends and returns at the response head.
  Task<ResponseStreamPtr> open(Request request);
  /// The answer to a request that asked for another protocol.
  struct Switched {
    ResponseHead head;  ///< 101 and what the server chose
    net::StreamPtr stream;
  };
  /// Sends a request that asks for another protocol (RFC 9110 §7.8) on a connection of its own, outside the pool and
  /// its limit. Other answers than 101 throw an Error with that http_status and the beginning of the body. Bytes
  /// already read beyond the head come first from the stream.
  Task<Switched> switch_protocols(Request request);
  /// As switch_protocols, for callers that do not read the head.
  Task<net::StreamPtr> upgrade(Request request);
  const ClientOptions& options() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace mtc::http
