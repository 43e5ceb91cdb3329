#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/websocket.hpp"
#include "net/stream.hpp"

namespace mtc::kube {

/// The WebSocket subprotocol of pods/portforward. Kubelets have it since Kubernetes 1.5, and API servers hand it on to
/// them; the newer one, SPDY inside of a WebSocket, needs 1.30 and a feature gate.
inline constexpr auto kPortForwardProtocol = "v4.channel.k8s.io";

/// Reads the messages that come for the one port that was asked for. Each begins with the number of its channel: 0
/// carries data, 1 says what went wrong; the first message of each is the port's number, low byte first.
class PortForwardReader {
 public:
  explicit PortForwardReader(std::uint16_t port) : port_(port) {}
  /// The data in `message`; empty if it has none. Throws Error(kUnavailable) with what the node says went wrong,
  /// kCorrupt for an unknown channel or another port.
  std::string_view take(std::string_view message);

 private:
  std::uint16_t port_;
  std::array<bool, 2> greeted_{};
};

/// A pod's port as a stream, for the one who asked for it. Throws of the stream: Error(kUnavailable) with what the node
/// says (nobody listens there), and what the WebSocket throws. There is no half-close in this protocol.
net::StreamPtr forwarded_stream(http::WebSocketPtr socket, std::uint16_t port, std::string doing);

/// The other end, as a kubelet has it; greets first. Throws what WebSocket::send throws.
Task<net::StreamPtr> serve_forward(http::WebSocketPtr socket, std::uint16_t port);
/// What a kubelet says, instead, if it does not reach the port.
Task<void> refuse_forward(http::WebSocketPtr socket, std::uint16_t port, std::string why);

}  // namespace mtc::kube
