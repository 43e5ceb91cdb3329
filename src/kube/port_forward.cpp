#include "kube/port_forward.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"

namespace mtc::kube {
namespace {

constexpr char kData = 0;
constexpr char kFailure = 1;
constexpr std::size_t kPiece = 32 * 1024;  ///< of data in a message

std::string greeting(char channel, std::uint16_t port) {
  return {channel, static_cast<char>(port & 0xFF), static_cast<char>(port >> 8)};
}

/// One end. Who asked reads channels; to the one who serves only data comes, and no greeting.
class ForwardedStream final : public net::Stream {
 public:
  ForwardedStream(http::WebSocketPtr socket, std::optional<PortForwardReader> reader, std::string doing)
      : socket_(std::move(socket)), reader_(reader), doing_(std::move(doing)) {}

  Task<std::size_t> read_some(std::span<char> into) override {
    while (taken_ == data_.size()) {
      const auto message = co_await next();
      if (!message) co_return 0;
      taken_ = 0;
      data_ = data_of(message->data);
    }
    const auto size = std::min(into.size(), data_.size() - taken_);
    std::copy_n(data_.data() + taken_, size, into.data());
    taken_ += size;
    co_return size;
  }

  Task<void> write_all(std::string_view data) override {
    while (!data.empty()) {
      std::string message(1, kData);
      message += data.substr(0, kPiece);
      data.remove_prefix(message.size() - 1);
      co_await socket_->send(http::WebSocket::Message::Kind::kBinary, message);
    }
  }

  Task<void> close() override { return socket_->close(); }
  std::string peer() const override { return doing_; }

 private:
  Task<std::optional<http::WebSocket::Message>> next() {
    std::optional<Error> failure;
    try {
      co_return co_await socket_->receive();
    } catch (const Error& error) {
      failure = error;
    }
    throw failure->with_context(doing_);
  }

  std::string data_of(const std::string& message) {
    if (!reader_) {
      if (message.empty() || message.front() != kData) throw Error(Code::kCorrupt, doing_ + ": this is no data");
      return message.substr(1);
    }
    try {
      return std::string(reader_->take(message));
    } catch (Error& error) {
      throw error.with_context(doing_);
    }
  }

  http::WebSocketPtr socket_;
  std::optional<PortForwardReader> reader_;
  std::string doing_;
  std::string data_;
  std::size_t taken_ = 0;
};

Task<void> greet(http::WebSocket* socket, std::uint16_t port) {
  for (const auto channel : {kData, kFailure}) {
    const auto message = greeting(channel, port);
    co_await socket->send(http::WebSocket::Message::Kind::kBinary, message);
  }
}

}  // namespace

std::string_view PortForwardReader::take(std::string_view message) {
  if (message.empty()) return {};
  const auto channel = message.front();
  if (channel != kData && channel != kFailure)
    throw Error(Code::kCorrupt, fmt::format("a message of channel {}", static_cast<unsigned char>(channel)));
  const auto body = message.substr(1);
  if (!std::exchange(greeted_.at(static_cast<std::size_t>(channel)), true)) {
    if (message != greeting(channel, port_)) throw Error(Code::kCorrupt, "a message for another port");
    return {};
  }
  // What a node says goes into conditions: not more of it than a person reads.
  if (channel == kFailure && !body.empty()) throw Error(Code::kUnavailable, std::string(body.substr(0, 500)));
  return channel == kData ? body : std::string_view{};
}

net::StreamPtr forwarded_stream(http::WebSocketPtr socket, std::uint16_t port, std::string doing) {
  return std::make_unique<ForwardedStream>(std::move(socket), PortForwardReader(port), std::move(doing));
}

Task<net::StreamPtr> serve_forward(http::WebSocketPtr socket, std::uint16_t port) {
  co_await greet(socket.get(), port);
  co_return std::make_unique<ForwardedStream>(std::move(socket), std::nullopt,
                                              fmt::format("a forwarded port {}", port));
}

Task<void> refuse_forward(http::WebSocketPtr socket, std::uint16_t port, std::string why) {
  co_await greet(socket.get(), port);
  const auto message = std::string(1, kFailure) + why;
  co_await socket->send(http::WebSocket::Message::Kind::kBinary, message);
  co_await socket->close();
}

}  // namespace mtc::kube
