#include "http/client.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "http/testing/test_server.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::http {
namespace {

using namespace std::chrono_literals;
using net::testing::ends_when_cancelled;
using net::testing::failure_of;
using net::testing::run;
using ::testing::AllOf;
using testing::client_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ScriptedPeer;
using testing::with_server;

using Script = ScriptedPeer::Script;
using Then = ScriptedPeer::Then;

Request get(std::string target = "/x") { return {"GET", std::move(target), {}, "", nullptr}; }

Task<void> send(Client client, Request request) { co_await client.send(std::move(request)); }

/// A client of `peer`, which calls itself http://peer.test.
Client client_to(std::shared_ptr<ScriptedPeer> peer) {
  auto options = client_of(Url::parse("http://peer.test"));
  options.connector = std::move(peer);
  return Client(options);
}

std::shared_ptr<ScriptedPeer> peer_that_says(std::string text, Then then = Then::kStay) {
  return std::make_shared<ScriptedPeer>(std::vector<Script>{{std::move(text), then}});
}

Task<void> echo_handler(ServerRequest& request, ResponseWriter& writer) {
  if (request.path == "/stream") {
    co_await writer.begin({200, "", {}});
    for (const auto* piece : {"one,", "two,", "three"}) co_await writer.write(piece);
    co_return;
  }
  auto body = co_await request.body(1024 * 1024);
  co_await writer.respond({200, "", {{"X-Method", request.method}}, request.path + "|" + body});
}

TEST(Client, SendsWhatTheRequestSays) {
  run([]() -> Task<void> {
    auto peer = peer_that_says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    auto options = client_of(Url::parse("http://peer.test:8080/prefix"));
    options.connector = peer;
    const auto response = co_await Client(options).send({"POST", "/a?b=c", {{"Accept", "x"}}, "body", nullptr});
    EXPECT_EQ(response.body, "hi");
    EXPECT_EQ(response.reason, "OK");
    EXPECT_EQ(co_await peer->heard(0),
              "POST /prefix/a?b=c HTTP/1.1\r\nAccept: x\r\nHost: peer.test:8080\r\nUser-Agent: mtc\r\n"
              "Content-Length: 4\r\n\r\nbody");
  }());
}

TEST(Client, ReusesItsConnection) {
  run(with_server(echo_handler, [](Url url) -> Task<void> {
    auto options = client_of(url);
    // A second connection would fail.
    options.connector = net::testing::faulty_connector(net::tcp_connector(), {{}, {.reset_write_after = 0}});
    Client client(options);
    for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await client.send({"PUT", "/a", {}, "hello", nullptr})).body, "/a|hello");
    EXPECT_EQ((co_await client.send({"HEAD", "/a", {}, "", nullptr})).body, "");
    EXPECT_EQ((co_await client.send(get("/stream"))).body, "one,two,three");
    const std::string large(300'000, 'x');
    EXPECT_EQ((co_await client.send({"POST", "/", {}, large, nullptr})).body, "/|" + large);
  }));
}

TEST(Client, PassesInterimAnswersOver) {
  run([]() -> Task<void> {
    auto client =
        client_to(peer_that_says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
                                 "HTTP/1.1 204 No Content\r\n\r\n"));
    EXPECT_EQ((co_await client.send(get())).status, 204);
    std::string endless;
    for (int i = 0; i < 100; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
    EXPECT_THAT(co_await failure_of(send(client_to(peer_that_says(endless)), get())), HasSubstr("Corrupt"));
  }());
}

TEST(Client, ReadsBodiesOfEveryFraming) {
  run([]() -> Task<void> {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "hi"},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end"},
        {"HTTP/1.0 200 OK\r\n\r\nold", "old"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""},
    };
    for (const auto& [text, body] : cases) {
      // Closed when the question is there: a peer that closes at once would refuse to be asked.
      auto peer = peer_that_says(text);
      auto stream = co_await client_to(peer).open(get());
      co_await peer->far_end(0).close();
      std::string read;
      for (auto piece = co_await stream->read(); !piece.empty(); piece = co_await stream->read()) read += piece;
      EXPECT_EQ(read, body) << text;
    }
  }());
}

TEST(Client, RefusesAnswersThatAreNoHttp) {
  run([]() -> Task<void> {
    for (const std::string text :
         {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n"}) {
      EXPECT_THAT(co_await failure_of(send(client_to(peer_that_says(text)), get())),
                  HasSubstr("Corrupt: GET http://peer.test/x: malformed HTTP"))
          << text;
    }
    const auto endless = "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x');
    EXPECT_THAT(co_await failure_of(send(client_to(peer_that_says(endless)), get())), HasSubstr("Corrupt"));
  }());
}

TEST(Client, RefusesToSendWhatWouldBreakTheHead) {
  run([]() -> Task<void> {
    auto peer = peer_that_says("");
    EXPECT_THAT(co_await failure_of(send(client_to(peer), get("/x HTTP/1.1\r\nEvil: y\r\n\r\nGET /"))),
                HasSubstr("Invalid"));
    EXPECT_EQ(co_await peer->heard(0), "");
  }());
}

TEST(Client, ErrorsNameTheRequestButNotItsQuery) {
  run([]() -> Task<void> {
    const auto text = co_await failure_of(
        send(client_to(peer_that_says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12", Then::kClose)),
             get("/key?X-Amz-Signature=hunter2")));
    EXPECT_THAT(text, AllOf(HasSubstr("Unavailable: GET http://peer.test/key: "), Not(HasSubstr("hunter2"))));
  }());
}

TEST(Client, GivesUpOnASilentServer) {
  run([]() -> Task<void> {
    auto options = client_of(Url::parse("http://peer.test"));
    options.response_limit = 10ms;
    options.connector = peer_that_says("");
    EXPECT_THAT(co_await failure_of(send(Client(options), get())),
                HasSubstr("Timeout: GET http://peer.test/x: wait for the answer: no answer within 10 ms"));
    options.body_stall_limit = 10ms;
    options.connector = peer_that_says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12");
    EXPECT_THAT(co_await failure_of(send(Client(options), get())),
                HasSubstr("Timeout: GET http://peer.test/x: read the body"));
  }());
}

TEST(Client, GivesUpOnAServerThatTakesNoBody) {
  run([]() -> Task<void> {
    auto options = client_of(Url::parse("http://peer.test"));
    options.body_stall_limit = 10ms;
    options.connector = peer_that_says("");
    const Request large{"PUT", "/x", {}, std::string(4 * 1024 * 1024, 'x'), nullptr};
    EXPECT_THAT(co_await failure_of(send(Client(options), large)),
                HasSubstr("Timeout: PUT http://peer.test/x: write to pipe"));
  }());
}

TEST(Client, PassesOnAnAnswerThatCameBeforeTheBodyWasRead) {
  run([]() -> Task<void> {
    auto client =
        client_to(peer_that_says("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig", Then::kClose));
    const auto response = co_await client.send({"PUT", "/x", {}, std::string(4 * 1024 * 1024, 'x'), nullptr});
    EXPECT_EQ(response.status, 413);
    EXPECT_EQ(response.body, "big");
  }());
}

TEST(Client, BoundsABodyInMemory) {
  run(with_server(echo_handler, [](Url url) -> Task<void> {
    auto options = client_of(url);
    options.max_body_bytes = 5;
    EXPECT_THAT(co_await failure_of(send(Client(options), get("/stream"))), HasSubstr("longer than 5 bytes"));
  }));
}

/// Pieces of ten bytes; may announce a size that is not true.
class Pieces final : public BodySource {
 public:
  Pieces(int count, std::optional<std::uint64_t> announced) : count_(count), left_(count), announced_(announced) {}
  Task<std::string_view> next() override {
    co_return left_-- > 0 ? std::string_view("0123456789") : std::string_view{};
  }
  void rewind() override {
    left_ = count_;
    ++rewinds;
  }
  std::optional<std::uint64_t> size() const override { return announced_; }

  int rewinds = 0;

 private:
  int count_;
  int left_;
  std::optional<std::uint64_t> announced_;
};

TEST(Client, StreamsBodiesOfKnownAndUnknownSize) {
  run(with_server(echo_handler, [](Url url) -> Task<void> {
    Client client(client_of(url));
    for (const auto& size : {std::optional<std::uint64_t>{}, std::optional<std::uint64_t>{1000}}) {
      const Request request{"POST", "/", {}, "", std::make_shared<Pieces>(100, size)};
      EXPECT_EQ((co_await client.send(request)).body.size(), 2u + 1000u);
    }
  }));
}

TEST(Client, ABodyMustBeAsLongAsItSays) {
  run(with_server(echo_handler, [](Url url) -> Task<void> {
    Client client(client_of(url));
    for (const auto announced : {5u, 15u}) {
      const Request request{"POST", "/", {}, "", std::make_shared<Pieces>(1, announced)};
      EXPECT_THAT(co_await failure_of(send(client, request)), HasSubstr("Corrupt: ")) << announced;
    }
    EXPECT_EQ((co_await client.send(get())).status, 200);
  }));
}

TEST(Client, TriesAgainOnAConnectionThatTheServerHadClosed) {
  run(with_server(echo_handler, [](Url url) -> Task<void> {
    // Its end is noticed only after the second request went out.
    const auto first_answer = std::string("HTTP/1.1 200 OK\r\nX-Method: GET\r\nContent-Length: 3\r\n\r\n/x|").size();
    auto options = client_of(url);
    options.connector = net::testing::faulty_connector(net::tcp_connector(), {{.close_read_after = first_answer}});
    Client idempotent(options);
    EXPECT_EQ((co_await idempotent.send(get())).body, "/x|");
    auto source = std::make_shared<Pieces>(1, 10);
    EXPECT_EQ((co_await idempotent.send({"PUT", "/b", {}, "", source})).body, "/b|0123456789");
    EXPECT_EQ(source->rewinds, 1);

    options.connector = net::testing::faulty_connector(net::tcp_connector(), {{.close_read_after = first_answer}});
    Client careful(options);
    EXPECT_EQ((co_await careful.send(get())).body, "/x|");
    EXPECT_THAT(co_await failure_of(send(careful, {"POST", "/b", {}, "once", nullptr})), HasSubstr("Unavailable"));
  }));
}

TEST(Client, SendsNothingOnAConnectionThatIsKnownToBeClosed) {
  run([]() -> Task<void> {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    auto peer = std::make_shared<ScriptedPeer>(std::vector<Script>{{answer}, {answer}});
    auto client = client_to(peer);
    co_await client.send(get());
    co_await peer->far_end(0).close();
    // Not idempotent, so it would fail if it went out on the first.
    EXPECT_EQ((co_await client.send({"POST", "/x", {}, "", nullptr})).body, "hi");
    EXPECT_EQ(peer->connections(), 2u);
  }());
}

TEST(Client, DoesNotReuseAConnectionWithUnaskedBytes) {
  run([]() -> Task<void> {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    auto peer = std::make_shared<ScriptedPeer>(
        std::vector<Script>{{answer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"}, {answer}});
    auto client = client_to(peer);
    EXPECT_EQ((co_await client.send(get())).body, "hi");
    EXPECT_EQ((co_await client.send(get())).body, "hi");
    EXPECT_EQ(peer->connections(), 2u);
  }());
}

TEST(Client, ForgetsConnectionsThatLayIdleForLong) {
  run([]() -> Task<void> {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    auto peer = std::make_shared<ScriptedPeer>(std::vector<Script>{{answer}, {answer}});
    auto options = client_of(Url::parse("http://peer.test"));
    options.connector = peer;
    options.idle_limit = Duration::zero();
    Client client(options);
    co_await client.send(get());
    co_await client.send(get());
    EXPECT_EQ(peer->connections(), 2u);
  }());
}

TEST(Client, OpensNoMoreConnectionsThanItMay) {
  struct Load {
    int now = 0;
    int most = 0;
  };
  auto load = std::make_shared<Load>();
  auto count = [load](ServerRequest&, ResponseWriter& writer) -> Task<void> {
    auto body = [](std::shared_ptr<Load> l, ResponseWriter* w) -> Task<void> {
      l->most = std::max(l->most, ++l->now);
      for (int i = 0; i < 10; ++i) co_await async::yield();
      --l->now;
      co_await w->respond({200, "", {}, "x"});
    };
    return body(load, &writer);
  };
  run(with_server(count, [](Url url) -> Task<void> {
    auto options = client_of(url);
    options.max_connections = 3;
    options.max_idle_connections = 2;
    Client client(options);
    auto scope = co_await async::Scope::create();
    for (int i = 0; i < 50; ++i) scope.spawn(send(client, get()));
    co_await scope.join();
  }));
  EXPECT_EQ(load->most, 3);
}

TEST(Client, AStreamThatIsReadToItsEndMakesRoomForTheNext) {
  run(with_server(echo_handler, [](Url url) -> Task<void> {
    auto options = client_of(url);
    options.max_connections = 1;
    Client client(options);
    const auto first = co_await client.open(get("/stream"));
    while (!(co_await first->read()).empty()) {
    }
    EXPECT_EQ(co_await failure_of(async::with_timeout(5s, "the second", send(client, get()))), "");
    {
      const auto dropped = co_await client.open(get("/stream"));
      EXPECT_FALSE((co_await dropped->read()).empty());
    }
    EXPECT_EQ(co_await failure_of(async::with_timeout(5s, "the third", send(client, get()))), "");
  }));
}

TEST(Client, ABodyThatIsCutOffIsNeverTakenForAWholeOne) {
  run(with_server(echo_handler, [](Url url) -> Task<void> {
    for (const auto& faults :
         {net::testing::Faults{.close_read_after = 60}, net::testing::Faults{.reset_read_after = 60}}) {
      auto options = client_of(url);
      options.connector = net::testing::faulty_connector(net::tcp_connector(), {faults});
      EXPECT_THAT(co_await failure_of(send(Client(options), get("/stream"))), HasSubstr("Unavailable"));
    }
  }));
}

TEST(Client, SlicedReadsChangeNothing) {
  run(with_server(echo_handler, [](Url url) -> Task<void> {
    auto options = client_of(url);
    options.connector = net::testing::faulty_connector(net::tcp_connector(), {{.slice_reads = 1}});
    EXPECT_EQ((co_await Client(options).send(get("/stream"))).body, "one,two,three");
  }));
}

Task<void> read_on(ResponseStream* stream) { co_await stream->read(); }

TEST(Client, CanBeCancelledEverywhere) {
  run([]() -> Task<void> {
    // While it connects, while it waits for an answer, while it reads, while it writes, while it waits for its turn.
    class NeverConnects final : public net::Connector {
      Task<net::StreamPtr> connect(net::Endpoint) override {
        co_await async::sleep_for(1h);
        co_return nullptr;
      }
    };
    auto options = client_of(Url::parse("http://peer.test"));
    options.connector = std::make_shared<NeverConnects>();
    EXPECT_TRUE(co_await ends_when_cancelled(send(Client(options), get())));

    EXPECT_TRUE(co_await ends_when_cancelled(send(client_to(peer_that_says("")), get())));
    EXPECT_TRUE(co_await ends_when_cancelled(
        send(client_to(peer_that_says("")), {"PUT", "/x", {}, std::string(4 * 1024 * 1024, 'x'), nullptr})));

    options.connector = peer_that_says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    options.max_connections = 1;
    Client client(options);
    const auto stream = co_await client.open(get());
    EXPECT_TRUE(co_await ends_when_cancelled(send(client, get())));
    EXPECT_TRUE(co_await ends_when_cancelled(read_on(stream.get())));
  }());
}

TEST(Client, SpeaksTlsAndChecksTheServer) {
  const auto now = system_clock().now();
  const auto ca = net::make_ca("test", now);
  const auto certificate = net::issue_certificate(ca, "server", {"127.0.0.1"}, {}, now);
  ServerOptions server;
  server.tls = net::TlsServerOptions{certificate.cert_pem, certificate.key_pem, ""};
  auto use = [ca](Url url) {
    auto body = [](std::string ca_pem, Url at) -> Task<void> {
      auto options = client_of(at);
      EXPECT_THAT(co_await failure_of(send(Client(options), get())),
                  HasSubstr("Tls: GET " + at.str() + "/x: TLS handshake with " + at.authority() +
                            ": x509: certificate signed by unknown authority"));
      options.tls = std::make_shared<net::TlsClient>(net::TlsClientOptions{.ca_pem = ca_pem});
      Client client(options);
      for (int i = 0; i < 2; ++i) EXPECT_EQ((co_await client.send(get("/a"))).body, "/a|");
    };
    return body(ca.cert_pem, std::move(url));
  };
  run(with_server(echo_handler, use, server));
}

TEST(Upgrade, GivesTheStreamAndWhatCameEarly) {
  run([]() -> Task<void> {
    auto peer = peer_that_says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\n\r\nearly", Then::kStay);
    auto switched = co_await client_to(peer).switch_protocols({"GET", "/", {{"Connection", "Upgrade"}}, "", nullptr});
    EXPECT_EQ(switched.head.headers.get("Upgrade"), "test");
    co_await peer->far_end(0).write_all(" late");
    co_await peer->far_end(0).close();
    EXPECT_EQ(co_await net::testing::read_to_end(switched.stream.get()), "early late");
  }());
}

TEST(Upgrade, ARefusalSaysWhatTheServerSaid) {
  run([]() -> Task<void> {
    auto upgrade = [](Client client) -> Task<void> { co_await client.upgrade(get("/exec?token=hunter2")); };
    const auto text = co_await failure_of(
        upgrade(client_to(peer_that_says("HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\npods \"x\" no."))));
    EXPECT_EQ(
        text,
        "Forbidden: GET http://peer.test/exec answers 403 Forbidden instead of switching protocols: pods \"x\" no.");
  }());
}

}  // namespace
}  // namespace mtc::http
