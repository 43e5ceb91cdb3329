#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "http/message.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"

namespace mtc::http {

/// A request as a server sees it.
struct ServerRequest {
  std::string method;
  std::string path;  ///< percent-encoded path without the query
  Query query;       ///< decoded
  Headers headers;
  std::string peer;            ///< address
  net::PeerIdentity identity;  ///< of the client certificate, if any

  /// The next bytes of the body (valid until the next call); empty at its end. Throws Error(kInvalid, http_status 400)
  /// for a malformed body, kUnavailable for a client that leaves, kTimeout for one that stalls.
  std::function<Task<std::string_view>()> read_body;
  /// The whole body; Error(kInvalid) with http_status 413 beyond `limit`.
  Task<std::string> body(std::size_t limit = 16 * 1024 * 1024);

  /// The first value of a query parameter; "" if absent.
  std::string_view param(std::string_view name) const;
};

/// Answers one request: either respond once, or begin a stream and write to it.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  virtual Task<void> respond(Response response) = 0;
  /// Sends the head and switches to chunked transfer coding.
  virtual Task<void> begin(ResponseHead head) = 0;
  /// As begin, for a body of `length` bytes that is not chunked: more are Error(kInternal), fewer cut the connection.
  virtual Task<void> begin_sized(ResponseHead head, std::uint64_t length) = 0;
  /// One chunk (or piece of a sized body), sent at once. Throws Error(kUnavailable) when the client is gone.
  virtual Task<void> write(std::string_view data) = 0;
  /// Ends the stream; called by the server if the handler did not.
  virtual Task<void> end() = 0;
  /// Sends 101 with `headers` and hands the raw stream over, with what the client sent early.
  virtual Task<net::StreamPtr> upgrade(Headers headers) = 0;
};

/// Both references outlive the task. A thrown Error becomes a plain-text answer of its http_status (500 if it has
/// none), or cuts the answer off if it was begun. A client that leaves is noticed by the next write or body read: a
/// handler that streams for long and has nothing to say writes something now and then.
using Handler = std::function<Task<void>(ServerRequest& request, ResponseWriter& writer)>;

struct ServerOptions {
  std::optional<net::TlsServerOptions> tls;  ///< absent = plain HTTP
  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_connections = 1024;
  Duration head_limit = std::chrono::seconds(30);   ///< for a request head to arrive whole
  Duration idle_limit = std::chrono::seconds(120);  ///< keep-alive
  /// For a client to send the next piece of its body, and to take a piece (a mebibyte) of ours.
  Duration body_stall_limit = std::chrono::seconds(60);
};

/// An HTTP/1.1 server (RFC 9112): keep-alive, pipelining, chunked bodies both ways, Expect: 100-continue, HEAD. Refuses
/// what request smuggling needs: both Content-Length and Transfer-Encoding, repeated differing lengths, bare CR,
/// obsolete folding, no or two Hosts.
class Server {
 public:
  Server(std::unique_ptr<net::Listener> listener, ServerOptions options, Handler handler);
  ~Server();
  Server(Server&&) noexcept;
  /// Serves until cancelled; then running handlers are cancelled and joined.
  Task<void> run();
  /// Serves one connection that came from elsewhere (a pipe in tests).
  Task<void> serve(net::StreamPtr stream);
  net::Endpoint local() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mtc::http
