#include "http/websocket.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "http/wire.hpp"

namespace mtc::http {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::size_t kMaxControlPayload = 125;
constexpr auto kGoodbyeLimit = std::chrono::milliseconds(500);

// Close codes (RFC 6455 §7.4.1).
constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kTooBig = 1009;

/// What the peer did wrong, and the close code that tells it so.
struct Violation {
  std::uint16_t code;
  std::string what;
};

std::string close_payload(std::uint16_t code, const std::string& reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return payload + reason.substr(0, kMaxControlPayload - payload.size());
}

WebSocket::Closed parse_close(std::string_view payload) {
  if (payload.size() < 2) return {};
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(payload[at]); };
  return {static_cast<std::uint16_t>(byte(0) << 8 | byte(1)), std::string(payload.substr(2))};
}

}  // namespace

WebSocket::WebSocket(net::StreamPtr stream, Role role, std::string protocol, Rng* rng, Options options)
    : stream_(std::move(stream)),
      role_(role),
      protocol_(std::move(protocol)),
      rng_(rng),
      options_(options),
      writing_(1) {}

Task<void> WebSocket::need(std::size_t bytes) {
  while (buffer_.size() < bytes) {
    std::array<char, kReadSize> piece{};
    const auto size = co_await stream_->read_some(piece);
    if (size == 0)
      throw Error(Code::kUnavailable, fmt::format("{} closed the WebSocket without a word", stream_->peer()));
    buffer_.append(piece.data(), size);
  }
}

Task<WebSocket::Frame> WebSocket::read_frame(std::size_t limit) {
  auto parsed = parse_frame_head(buffer_);
  while (!parsed) {
    co_await need(buffer_.size() + 1);
    parsed = parse_frame_head(buffer_);
  }
  auto& [head, size] = *parsed;
  if (head.mask.has_value() != (role_ == Role::kServer)) {
    throw Violation{kProtocolError,
                    role_ == Role::kServer ? "a client must mask its frames" : "a server must not mask"};
  }
  if (head.length > (is_control(head.opcode) ? kMaxControlPayload : limit)) {
    throw Violation{kTooBig, fmt::format("a message is longer than {} bytes", options_.max_message)};
  }
  const auto length = static_cast<std::size_t>(head.length);
  co_await need(size + length);
  Frame frame{head, buffer_.substr(size, length)};
  buffer_.erase(0, size + length);
  if (head.mask) apply_mask(*head.mask, frame.payload.data(), frame.payload.size());
  co_return frame;
}

Task<void> WebSocket::on_control(Frame frame) {
  if (frame.head.opcode == Opcode::kPing) co_return co_await write_frame(Opcode::kPong, frame.payload);
  if (frame.head.opcode != Opcode::kClose) co_return;  // a pong says nothing
  closed_ = parse_close(frame.payload);
  co_await say_goodbye(closed_->code == 1005 ? 1000 : closed_->code, "");
}

Task<std::optional<WebSocket::Message>> WebSocket::next_message() {
  std::optional<Message> message;
  for (;;) {
    auto frame = co_await read_frame(options_.max_message - (message ? message->data.size() : 0));
    if (is_control(frame.head.opcode)) {
      const auto last = frame.head.opcode == Opcode::kClose;
      co_await on_control(std::move(frame));
      if (last) co_return std::nullopt;
      continue;
    }
    if (message.has_value() != (frame.head.opcode == Opcode::kContinue)) {
      throw Violation{kProtocolError, "the fragments of two messages are mixed"};
    }
    if (!message) {
      message.emplace(frame.head.opcode == Opcode::kText ? Message::Kind::kText : Message::Kind::kBinary,
                      std::move(frame.payload));
    } else {
      message->data += frame.payload;
    }
    if (frame.head.last) co_return message;
  }
}

Task<std::optional<WebSocket::Message>> WebSocket::receive() {
  if (closed_) co_return std::nullopt;
  Violation violation{kProtocolError, ""};
  try {
    co_return co_await next_message();
  } catch (const Violation& seen) {
    violation = seen;
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt) throw;
    violation.what = error.message();
  }
  co_await close(violation.code, violation.what);
  throw Error(Code::kCorrupt, fmt::format("WebSocket with {}: {}", stream_->peer(), violation.what));
}

Task<void> WebSocket::write_frame(Opcode opcode, std::string_view payload) {
  FrameHead head{opcode, true, std::nullopt, payload.size()};
  if (role_ == Role::kClient) {
    const auto bits = rng_->next();
    head.mask = Mask{static_cast<char>(bits), static_cast<char>(bits >> 8), static_cast<char>(bits >> 16),
                     static_cast<char>(bits >> 24)};
  }
  auto bytes = serialize_frame_head(head);
  const auto begin = bytes.size();
  bytes += payload;
  if (head.mask) apply_mask(*head.mask, bytes.data() + begin, payload.size());

  const auto turn = co_await writing_.acquire();
  if (goodbye_said_) throw Error(Code::kUnavailable, fmt::format("the WebSocket with {} is closed", stream_->peer()));
  goodbye_said_ = opcode == Opcode::kClose;
  co_await write_within(stream_.get(), bytes, options_.send_limit);
}

Task<void> WebSocket::send(Message::Kind kind, std::string_view data) {
  return write_frame(kind == Message::Kind::kText ? Opcode::kText : Opcode::kBinary, data);
}

Task<void> WebSocket::ping() { return write_frame(Opcode::kPing, ""); }

Task<void> WebSocket::say_goodbye(std::uint16_t code, std::string reason) {
  if (goodbye_said_) co_return;
  try {
    const auto payload = close_payload(code, reason);
    co_await async::with_timeout(kGoodbyeLimit, "say goodbye", write_frame(Opcode::kClose, payload));
  } catch (const Error&) {
    // The peer is gone already; so are we.
  }
}

Task<void> WebSocket::close(std::uint16_t code, std::string reason) {
  std::exception_ptr cancelled;
  try {
    co_await say_goodbye(code, std::move(reason));
  } catch (...) {  // A cancelled task closes all the same, before it goes on unwinding.
    cancelled = std::current_exception();
  }
  goodbye_said_ = true;
  co_await stream_->close();
  if (cancelled) std::rethrow_exception(cancelled);
}

}  // namespace mtc::http
