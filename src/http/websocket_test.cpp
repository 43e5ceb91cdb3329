#include "http/websocket.hpp"

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "http/testing/test_server.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using net::testing::ends_when_cancelled;
using net::testing::failure_of;
using net::testing::run;
using testing::client_of;
using ::testing::HasSubstr;
using testing::with_server;
using Kind = WebSocket::Message::Kind;

TEST(Frame, AreTheBytesOfTheRfc) {
  // RFC 6455 §5.7.
  EXPECT_EQ(serialize_frame_head({Opcode::kText, true, std::nullopt, 5}), "\x81\x05");
  EXPECT_EQ(serialize_frame_head({Opcode::kText, false, std::nullopt, 3}), "\x01\x03");
  EXPECT_EQ(serialize_frame_head({Opcode::kBinary, true, std::nullopt, 256}), "\x82\x7E\x01\x00"s);
  EXPECT_EQ(serialize_frame_head({Opcode::kBinary, true, std::nullopt, 65536}), "\x82\x7F\0\0\0\0\0\x01\0\0"s);
  const Mask mask{'\x37', '\xfa', '\x21', '\x3d'};
  EXPECT_EQ(serialize_frame_head({Opcode::kText, true, mask, 5}), "\x81\x85\x37\xfa\x21\x3d");
  std::string hello = "Hello";
  apply_mask(mask, hello.data(), hello.size());
  EXPECT_EQ(hello, "\x7f\x9f\x4d\x51\x58");
  apply_mask(mask, hello.data() + 1, 4, 1);
  EXPECT_EQ(hello.substr(1), "ello");
}

TEST(Frame, HeadsAreReadWhenTheyAreWhole) {
  for (const std::uint64_t length : {0ull, 125ull, 126ull, 65535ull, 65536ull, 1ull << 40}) {
    for (const auto& mask : {std::optional<Mask>{}, std::optional<Mask>{Mask{'a', 'b', 'c', 'd'}}}) {
      const auto bytes = serialize_frame_head({Opcode::kContinue, false, mask, length});
      for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(parse_frame_head(bytes.substr(0, size)));
      const auto parsed = parse_frame_head(bytes + "payload");
      ASSERT_TRUE(parsed);
      EXPECT_EQ(parsed->size, bytes.size());
      EXPECT_EQ(parsed->head.length, length);
      EXPECT_EQ(parsed->head.mask, mask);
      EXPECT_EQ(parsed->head.opcode, Opcode::kContinue);
      EXPECT_FALSE(parsed->head.last);
    }
  }
}

TEST(Frame, HeadsThatTheRfcForbidsAreRefused) {
  for (const std::string& bad : {"\xC1\x00"s, "\x83\x00"s, "\x8B\x00"s, "\x09\x00"s, "\x88\x7E\x00\x80"s,
                                 "\x82\x7E\x00\x7D"s, "\x82\x7F\0\0\0\0\0\0\xFF\xFF"s, "\x82\x7F\x80\0\0\0\0\0\0\0"s}) {
    EXPECT_THROW(parse_frame_head(bad), Error);
  }
}

/// The two ends of a WebSocket whose handshake is done.
struct Ends {
  Ends(net::StreamPtr near, net::StreamPtr far, WebSocket::Options options)
      : client(std::move(near), WebSocket::Role::kClient, "", &rng, options),
        server(std::move(far), WebSocket::Role::kServer, "", nullptr, options) {}
  SeededRng rng{1};
  WebSocket client;
  WebSocket server;
};
std::unique_ptr<Ends> connected(WebSocket::Options options = {}) {
  auto [near, far] = net::make_pipe(1024 * 1024);
  return std::make_unique<Ends>(std::move(near), std::move(far), options);
}

/// A WebSocket whose peer is played by the test.
struct Played {
  SeededRng rng{1};
  net::StreamPtr peer;
  std::unique_ptr<WebSocket> socket;
};
Task<std::unique_ptr<Played>> played(std::string says, WebSocket::Role role, WebSocket::Options options = {}) {
  auto out = std::make_unique<Played>();
  auto [near, far] = net::make_pipe();
  co_await far->write_all(says);
  out->peer = std::move(far);
  out->socket = std::make_unique<WebSocket>(std::move(near), role, "", &out->rng, options);
  co_return out;
}

Task<std::string> heard_by(net::Stream* peer) {
  std::array<char, 1000> buffer{};
  co_return std::string(buffer.data(), co_await peer->read_some(buffer));
}

Task<void> receive(WebSocket* socket) { co_await socket->receive(); }

TEST(WebSocket, CarriesMessagesBothWays) {
  run([]() -> Task<void> {
    const auto ends = connected();
    for (const std::size_t size : {0u, 1u, 125u, 126u, 65535u, 65536u, 300'000u}) {
      const std::string data(size, 'x');
      co_await ends->client.send(Kind::kBinary, data);
      const auto heard = co_await ends->server.receive();
      EXPECT_TRUE(heard && heard->data == data) << size;
      co_await ends->server.send(Kind::kText, data);
      const auto back = co_await ends->client.receive();
      EXPECT_TRUE(back && back->data == data && back->kind == Kind::kText) << size;
    }
  }());
}

TEST(WebSocket, JoinsFragmentsAndAnswersPingsBetweenThem) {
  run([]() -> Task<void> {
    const auto talk = co_await played("\x01\x03Hel\x89\x02hi\x80\x02lo"s, WebSocket::Role::kClient);
    const auto message = co_await talk->socket->receive();
    EXPECT_EQ(message->data, "Hello");
    EXPECT_EQ(message->kind, Kind::kText);
    const auto pong = co_await heard_by(talk->peer.get());
    EXPECT_EQ(pong.size(), 2u + 4u + 2u);
    EXPECT_EQ(pong[0], '\x8A');
  }());
}

TEST(WebSocket, EndsWhenThePeerSaysGoodbye) {
  run([]() -> Task<void> {
    const auto ends = connected();
    co_await ends->server.send(Kind::kText, "last words");
    co_await ends->server.close(1001, "going away");
    EXPECT_EQ((co_await ends->client.receive())->data, "last words");
    EXPECT_FALSE(co_await ends->client.receive());
    EXPECT_FALSE(co_await ends->client.receive());
    EXPECT_EQ(ends->client.closed()->code, 1001);
    EXPECT_EQ(ends->client.closed()->reason, "going away");
    EXPECT_THAT(co_await failure_of(ends->client.send(Kind::kText, "x")), HasSubstr("Unavailable: "));

    const auto silent = co_await played("\x88\x00"s, WebSocket::Role::kClient);
    EXPECT_FALSE(co_await silent->socket->receive());
    EXPECT_EQ(silent->socket->closed()->code, 1005);
    EXPECT_EQ((co_await heard_by(silent->peer.get())).size(), 2u + 4u + 2u);
  }());
}

TEST(WebSocket, AnEndWithoutGoodbyeIsACutOff) {
  run([]() -> Task<void> {
    for (const std::string& half : {""s, "\x81"s, "\x81\x05Hel"s}) {
      const auto talk = co_await played(half, WebSocket::Role::kClient);
      co_await talk->peer->close();
      EXPECT_THAT(co_await failure_of(receive(talk->socket.get())), HasSubstr("Unavailable: "));
    }
  }());
}

struct Violation {
  std::string frames;
  WebSocket::Role role;
  const char* code;  ///< the close frame's payload that the peer gets
};

TEST(WebSocket, TellsThePeerWhatItDidWrong) {
  const std::vector<Violation> cases = {
      {"\x81\x85\x01\x02\x03\x04Hello"s, WebSocket::Role::kClient, "\x03\xEA"},  // masked by a server
      {"\x81\x05Hello"s, WebSocket::Role::kServer, "\x03\xEA"},                  // not masked by a client
      {"\x80\x05Hello"s, WebSocket::Role::kClient, "\x03\xEA"},                  // nothing to continue
      {"\x01\x01H\x81\x01i"s, WebSocket::Role::kClient, "\x03\xEA"},             // begun inside another
      {"\xF1\x05Hello"s, WebSocket::Role::kClient, "\x03\xEA"},                  // reserved bits
      {"\x81\x7E\x03\xE9"s, WebSocket::Role::kClient, "\x03\xF1"},               // 1001 bytes
      {"\x01\x7E\x03\xE8"s + std::string(1000, 'x') + "\x80\x01x", WebSocket::Role::kClient, "\x03\xF1"},
  };
  run([](std::vector<Violation> rows) -> Task<void> {
    for (const auto& row : rows) {
      const auto talk = co_await played(row.frames, row.role, {.max_message = 1000});
      EXPECT_THAT(co_await failure_of(receive(talk->socket.get())), HasSubstr("Corrupt: WebSocket with pipe: "));
      auto goodbye = co_await heard_by(talk->peer.get());
      const auto head = parse_frame_head(goodbye);
      if (!head) throw std::runtime_error("no goodbye");
      goodbye.erase(0, head->size);
      if (head->head.mask) apply_mask(*head->head.mask, goodbye.data(), goodbye.size());
      EXPECT_EQ(head->head.opcode, Opcode::kClose);
      EXPECT_EQ(goodbye.substr(0, 2), row.code);
    }
  }(cases));
}

TEST(WebSocket, CanBeCancelledEverywhere) {
  run([]() -> Task<void> {
    const auto ends = connected();
    EXPECT_TRUE(co_await ends_when_cancelled(receive(&ends->client)));
    const std::string more_than_fits(2 * 1024 * 1024, 'x');
    EXPECT_TRUE(co_await ends_when_cancelled(ends->server.send(Kind::kBinary, more_than_fits)));
    co_await async::with_timeout(5s, "close", ends->server.close());
  }());
}

Task<void> shout(ServerRequest& request, ResponseWriter& writer) {
  const auto socket = co_await accept_websocket(&request, &writer, {"v5.channel.k8s.io", "v4.channel.k8s.io"});
  while (const auto message = co_await socket->receive()) co_await socket->send(message->kind, message->data + "!");
}

Task<WebSocketPtr> open(Url url, std::vector<std::string> protocols, Rng* rng) {
  return open_websocket(Client(client_of(url)), {"GET", "/exec", {}, "", nullptr}, std::move(protocols), rng);
}

TEST(WebSocketHandshake, AgreesOnAProtocol) {
  run(with_server(shout, [](Url url) -> Task<void> {
    SeededRng rng(1);
    const auto socket = co_await open(url, {"v4.channel.k8s.io", "v3.channel.k8s.io"}, &rng);
    EXPECT_EQ(socket->protocol(), "v4.channel.k8s.io");
    co_await socket->send(Kind::kText, "hello");
    EXPECT_EQ((co_await socket->receive())->data, "hello!");
    co_await socket->close();
    EXPECT_EQ((co_await open(url, {}, &rng))->protocol(), "");
  }));
}

TEST(WebSocketHandshake, RefusesStrangers) {
  run(with_server(shout, [](Url url) -> Task<void> {
    SeededRng rng(1);
    auto open_with = [](Url at, std::vector<std::string> protocols, Rng* with) -> Task<void> {
      co_await open(at, std::move(protocols), with);
    };
    EXPECT_THAT(co_await failure_of(open_with(url, {"v1.other"}, &rng)), HasSubstr("offers none of the protocols"));
    const auto plain = co_await Client(client_of(url)).send({"GET", "/exec", {}, "", nullptr});
    EXPECT_EQ(plain.status, 400);
  }));
}

TEST(WebSocketHandshake, DemandsProofFromTheServer) {
  run([]() -> Task<void> {
    auto peer = std::make_shared<testing::ScriptedPeer>(std::vector<testing::ScriptedPeer::Script>{
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"}});
    auto options = client_of(Url::parse("http://peer.test"));
    options.connector = peer;
    SeededRng rng(1);
    auto open_on = [](Client client, Rng* with) -> Task<void> {
      co_await open_websocket(std::move(client), {"GET", "/", {}, "", nullptr}, {}, with);
    };
    EXPECT_THAT(co_await failure_of(open_on(Client(options), &rng)),
                HasSubstr("Unsupported: pipe does not speak WebSocket"));
  }());
}

}  // namespace
}  // namespace mtc::http
