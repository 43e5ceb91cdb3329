#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/scope.hpp"
#include "base/rng.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "http/websocket_frame.hpp"
#include "net/stream.hpp"

namespace mtc::http {

/// A WebSocket connection (RFC 6455, no extensions). One task receives; others may send at the same time. Text is not
/// checked to be UTF-8.
class WebSocket {
 public:
  struct Options {
    std::size_t max_message = 16 * 1024 * 1024;
    /// For the peer to take a message (its pieces of a mebibyte).
    Duration send_limit = std::chrono::seconds(60);
  };
  enum class Role { kClient, kServer };
  struct Message {
    enum class Kind { kText, kBinary } kind = Kind::kBinary;
    std::string data;
  };
  /// Why the peer closed (§7.4); 1005 if it gave no code.
  struct Closed {
    std::uint16_t code = 1005;
    std::string reason;
  };

  /// Over a stream whose upgrade is done. `rng` makes the masks of a client and outlives the WebSocket.
  WebSocket(net::StreamPtr stream, Role role, std::string protocol, Rng* rng, Options options);

  /// The next whole message; nothing once the peer has closed in an orderly way. Fragments are joined and pings
  /// answered on the way. Throws Error(kUnavailable) if the connection breaks, Error(kCorrupt) for what RFC 6455
  /// forbids or a message beyond the limit; the peer is told why.
  Task<std::optional<Message>> receive();
  /// `data` must stay valid until the task ends. Throws Error(kUnavailable) or Error(kTimeout) if the peer does not
  /// take it, also after close().
  Task<void> send(Message::Kind kind, std::string_view data);
  /// Keeps a silent connection through proxies alive; the answer is passed over by receive().
  Task<void> ping();
  /// Says goodbye and closes the stream; does not wait for the peer's goodbye. Fails only by cancellation.
  Task<void> close(std::uint16_t code = 1000, std::string reason = "");

  /// The subprotocol that was agreed on; "" if none was asked for.
  const std::string& protocol() const { return protocol_; }
  /// Set when receive() has returned nothing.
  const std::optional<Closed>& closed() const { return closed_; }

 private:
  struct Frame {
    FrameHead head;
    std::string payload;
  };

  Task<Frame> read_frame(std::size_t limit);
  Task<void> need(std::size_t bytes);
  Task<void> write_frame(Opcode opcode, std::string_view payload);
  Task<void> say_goodbye(std::uint16_t code, std::string reason);
  Task<std::optional<Message>> next_message();
  Task<void> on_control(Frame frame);

  net::StreamPtr stream_;
  Role role_;
  std::string protocol_;
  Rng* rng_;
  Options options_;
  std::string buffer_;
  bool goodbye_said_ = false;
  std::optional<Closed> closed_;
  async::Semaphore writing_;
};
using WebSocketPtr = std::unique_ptr<WebSocket>;

/// Opens a WebSocket at `request` (its method and upgrade headers are set here), offering `protocols` in order of
/// preference. Throws what Client::switch_protocols throws, and Error(kUnsupported) if the server's answer is no
/// WebSocket or chooses a protocol that was not offered.
Task<WebSocketPtr> open_websocket(Client client, Request request, std::vector<std::string> protocols, Rng* rng,
                                  WebSocket::Options options = {});

/// Accepts the WebSocket that `request` asks for with the first of `protocols` that the client offers. Throws
/// Error(kInvalid, http_status 400) if it asks for none, or only for other protocols. Arguments outlive the task.
Task<WebSocketPtr> accept_websocket(ServerRequest* request, ResponseWriter* writer, std::vector<std::string> protocols,
                                    WebSocket::Options options = {});

}  // namespace mtc::http
