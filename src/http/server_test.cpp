#include "http/server.hpp"

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "http/testing/test_server.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::http {
namespace {

using namespace std::chrono_literals;
using net::testing::run;
using testing::client_of;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::with_server;

Task<void> handler(ServerRequest& request, ResponseWriter& writer) {
  if (request.path == "/not-found") throw Error(Code::kNotFound, "nothing here").with_http_status(404);
  if (request.path == "/bug") throw std::logic_error("hunter2");
  if (request.path == "/silent") co_return;
  if (request.path == "/half") {
    co_await writer.begin({200, "", {}});
    co_await writer.write("half");
    throw Error(Code::kUnavailable, "the source is gone");
  }
  if (request.path == "/ignore-body") co_return co_await writer.respond({200, "", {}, "ignored"});
  if (request.path == "/stream") {
    co_await writer.begin({200, "", {{"Content-Length", "99"}}});
    co_await writer.write("a");
    co_await writer.write("");
    co_return co_await writer.write("bc");
  }
  if (request.path == "/sized" || request.path == "/too-short") {
    co_await writer.begin_sized({200, "", {}}, 3);
    co_await writer.write("ab");
    if (request.path == "/sized") co_await writer.write("c");
    co_return;
  }
  const auto body = co_await request.body(1000);
  co_await writer.respond(
      {200, "", {}, request.method + " " + request.path + "|" + std::string(request.param("q")) + "|" + body});
}

/// What the server says to `bytes` on one connection, until it closes. `then_close`: the client sends no more.
std::string talk(std::string bytes, ServerOptions options = {}) {
  std::string heard;
  run([](std::string say, ServerOptions with, std::string* out) -> Task<void> {
    Server server(nullptr, std::move(with), handler);
    auto [near, far] = net::make_pipe(4 * 1024 * 1024);
    co_await near->write_all(say);
    auto scope = co_await async::Scope::create();
    auto serve = [](Server* s, net::StreamPtr stream) -> Task<void> { co_await s->serve(std::move(stream)); };
    scope.spawn_isolated(serve(&server, std::move(far)), [](const auto&) {});
    *out = co_await net::testing::read_to_end(near.get());
    co_await scope.join();
  }(std::move(bytes), std::move(options), &heard));
  return heard;
}

const std::string kClose = "Host: a\r\nConnection: close\r\n\r\n";

TEST(Server, AnswersAndSaysWhenItCloses) {
  EXPECT_EQ(talk("GET /a?q=x%20y HTTP/1.1\r\n" + kClose),
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nGET /a|x y|");
  EXPECT_THAT(talk("GET /a HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close"));
}

TEST(Server, ServesRequestsThatComeTogetherInTheirOrder) {
  const auto heard = talk(
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
      "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
      "POST /ignore-body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nthree"
      "GET /4 HTTP/1.1\r\n" +
      kClose);
  EXPECT_EQ(heard,
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nPOST /1||one"
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nPOST /2||two"
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nignored"
            "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nGET /4||");
}

TEST(Server, StreamsInChunks) {
  EXPECT_EQ(talk("GET /stream HTTP/1.1\r\n" + kClose),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n");
}

TEST(Server, StreamsASizedBodyWithoutChunks) {
  EXPECT_EQ(talk("GET /sized HTTP/1.1\r\n" + kClose),
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
  // A body that ends early ends the connection: the client must not take what comes next for the rest of it.
  EXPECT_THAT(talk("GET /too-short HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\n" + kClose), EndsWith("\r\n\r\nab"));
}

TEST(Server, AnswersHeadWithoutABody) {
  EXPECT_EQ(talk("HEAD /a HTTP/1.1\r\n" + kClose), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(talk("HEAD /stream HTTP/1.1\r\n" + kClose), EndsWith("\r\n\r\n"));
}

TEST(Server, TurnsErrorsIntoAnswers) {
  EXPECT_THAT(talk("GET /not-found HTTP/1.1\r\n" + kClose), HasSubstr("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(talk("GET /not-found HTTP/1.1\r\n" + kClose), EndsWith("\r\n\r\nnothing here\n"));
  EXPECT_THAT(talk("GET /silent HTTP/1.1\r\n" + kClose), StartsWith("HTTP/1.1 500 "));
}

TEST(Server, ABugInAHandlerIsAnAnswerToo) {
  std::string logged;
  log::set_sink([&](std::string_view line) { logged += line; });
  const auto heard = talk("GET /bug HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\n" + kClose);
  log::set_sink({});
  EXPECT_THAT(heard, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(heard, Not(HasSubstr("hunter2")));
  EXPECT_THAT(heard, EndsWith("GET /a||"));
  EXPECT_THAT(logged, HasSubstr("hunter2"));
}

TEST(Server, CutsAnAnswerOffThatItCannotEnd) {
  EXPECT_THAT(talk("GET /half HTTP/1.1\r\nHost: a\r\n\r\n"), EndsWith("4\r\nhalf\r\n"));
}

TEST(Server, AnswersMalformedRequestsAndClosesThem) {
  for (const std::string bad :
       {"nonsense\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
    const auto heard = talk(bad + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(heard, StartsWith("HTTP/1.1 400 Bad Request\r\n")) << bad;
    EXPECT_THAT(heard, Not(HasSubstr("smuggled"))) << bad;
  }
  const auto endless = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x');
  EXPECT_THAT(talk(endless), StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

TEST(Server, RefusesBodiesBeyondTheHandlersLimit) {
  const auto heard =
      talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'));
  EXPECT_THAT(heard, StartsWith("HTTP/1.1 413 Content Too Large\r\n"));
}

TEST(Server, SaysContinueOnlyWhenTheBodyIsWanted) {
  const std::string expects = "Host: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(talk("POST / HTTP/1.1\r\n" + expects + "hi"), StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"));
  EXPECT_THAT(talk("POST /ignore-body HTTP/1.1\r\n" + expects), StartsWith("HTTP/1.1 200 OK"));
}

TEST(Server, GivesUpOnClientsThatDoNotGoOn) {
  ServerOptions impatient;
  impatient.head_limit = impatient.idle_limit = impatient.body_stall_limit = 5ms;
  EXPECT_EQ(talk("GET / HTT", impatient), "");
  EXPECT_EQ(talk("", impatient), "");
  EXPECT_THAT(talk("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET", impatient), EndsWith("GET /a||"));
  EXPECT_THAT(talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123", impatient),
              StartsWith("HTTP/1.1 500"));
}

TEST(Server, HandsTheStreamOverOnAnUpgrade) {
  auto upgrade = [](ServerRequest&, ResponseWriter& writer) -> Task<void> {
    const auto stream = co_await writer.upgrade({{"Connection", "Upgrade"}, {"Upgrade", "test"}});
    std::array<char, 100> buffer{};
    const auto size = co_await stream->read_some(buffer);
    co_await stream->write_all("heard " + std::string(buffer.data(), size));
    co_await stream->close();
  };
  run(with_server(upgrade, [](Url url) -> Task<void> {
    const auto stream = co_await net::tcp_connector()->connect({url.host, url.port});
    co_await stream->write_all("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nearly");
    EXPECT_EQ(co_await net::testing::read_to_end(stream.get()),
              "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nheard early");
  }));
}

TEST(Server, EndsItsHandlersWhenItIsCancelled) {
  struct Seen {
    async::Event begun;
    bool cancelled = false;
  };
  auto seen = std::make_shared<Seen>();
  auto wait_for_ever = [](std::shared_ptr<Seen> s) -> Task<void> {
    s->begun.set();
    std::exception_ptr end;
    try {
      co_await async::sleep_for(1h);
    } catch (...) {
      end = std::current_exception();
    }
    s->cancelled = async::is_cancellation(end);
    std::rethrow_exception(end);
  };
  run(with_server([seen, wait_for_ever](ServerRequest&, ResponseWriter&) { return wait_for_ever(seen); },
                  [seen](Url url) {
                    auto use = [](std::shared_ptr<Seen> s, Url at) -> Task<void> {
                      auto scope = co_await async::Scope::create();
                      auto get = [](Url to) -> Task<void> {
                        co_await Client(client_of(to)).send({"GET", "/", {}, "", nullptr});
                      };
                      scope.spawn(get(at));
                      co_await s->begun.wait();
                      co_await scope.cancel_and_join();
                    };
                    return use(seen, std::move(url));
                  }));
  EXPECT_TRUE(seen->cancelled);
}

TEST(Server, WaitsWithNewClientsWhenItIsFull) {
  ServerOptions one;
  one.max_connections = 1;
  run(with_server(
      handler,
      [](Url url) -> Task<void> {
        const auto first = co_await net::tcp_connector()->connect({url.host, url.port});
        auto get = [](Url to) -> Task<void> { co_await Client(client_of(to)).send({"GET", "/", {}, "", nullptr}); };
        auto scope = co_await async::Scope::create();
        scope.spawn(get(url));
        for (int i = 0; i < 100; ++i) co_await async::yield();
        EXPECT_EQ(scope.running(), 1u);
        co_await first->close();
        co_await async::with_timeout(5s, "the second client", scope.join());
      },
      one));
}

TEST(Server, KnowsItsClientByItsCertificate) {
  const auto now = system_clock().now();
  const auto ca = net::make_ca("test", now);
  const auto certificate = net::issue_certificate(ca, "server", {"127.0.0.1"}, {}, now);
  const auto admin = net::issue_certificate(ca, "admin", {}, {"system:masters"}, now);
  ServerOptions options;
  options.tls = net::TlsServerOptions{certificate.cert_pem, certificate.key_pem, ca.cert_pem};
  auto who = [](ServerRequest& request, ResponseWriter& writer) -> Task<void> {
    co_await writer.respond({200, "", {}, request.identity.common_name});
  };
  const auto tls = std::make_shared<net::TlsClient>(
      net::TlsClientOptions{.ca_pem = ca.cert_pem, .cert_pem = admin.cert_pem, .key_pem = admin.key_pem});
  run(with_server(
      who,
      [tls](Url url) {
        auto use = [](std::shared_ptr<net::TlsClient> with, Url at) -> Task<void> {
          auto client = client_of(at);
          client.tls = with;
          EXPECT_EQ((co_await Client(client).send({"GET", "/", {}, "", nullptr})).body, "admin");
        };
        return use(tls, std::move(url));
      },
      options));
}

}  // namespace
}  // namespace mtc::http
