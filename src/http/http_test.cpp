#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "http/wire.hpp"
#include "net/testing/fault_gate.hpp"

namespace mtc::http {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

void run(Task<void> body) { async::Runtime().run(std::move(body)); }

Task<std::string> failure_of(Task<void> task) {
  std::string text;
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    text = std::string(to_string(error.code())) + ": " + error.what();
  }
  co_return text;
}

Task<void> echo_handler(ServerRequest& request, ResponseWriter& writer) {
  if (request.path == "/stream") {
    co_await writer.begin({200, "", {}});
    for (const auto* piece : {"one,", "two,", "three"}) co_await writer.write(piece);
    co_return;
  }
  if (request.path == "/fail") throw Error(Code::kNotFound, "nothing here").with_http_status(404);
  if (request.path == "/ignore-body") co_return co_await writer.respond({200, "", {}, "ignored"});
  auto body = co_await request.body(1024 * 1024);
  co_await writer.respond({200, "", {{"X-Method", request.method}}, request.path + "|" + body});
}

/// A server on a free port for the life of `use`.
Task<void> with_server(std::function<Task<void>(Url)> use, Handler handler = echo_handler) {
  auto listener = co_await net::listen_tcp({"127.0.0.1", 0});
  const auto url = Url::parse("http://127.0.0.1:" + std::to_string(listener->local().port));
  Server server(std::move(listener), {}, std::move(handler));
  auto scope = co_await async::Scope::create();
  scope.spawn(server.run());
  std::exception_ptr failure;
  try {
    co_await use(url);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
}

ClientOptions to(const Url& url) {
  ClientOptions options;
  options.origin = url;
  return options;
}

TEST(Url, ReadsItsParts) {
  const auto url = Url::parse("HTTPS://Example.com:8443/a%20b?x=1#frag");
  EXPECT_EQ(url.str(), "https://example.com:8443/a%20b?x=1");
  EXPECT_EQ(Url::parse("http://[::1]:80/").authority(), "[::1]");
  for (const auto* bad :
       {"", "example.com", "ftp://x", "http://", "http://x:0", "http://x:99999", "http://u:p@x", "http://x y"}) {
    EXPECT_THROW(Url::parse(bad), Error) << bad;
  }
  EXPECT_EQ(encode_query({{"a", "x y"}, {"b", "/&"}}), "a=x%20y&b=%2F%26");
  EXPECT_EQ(decode_query("a=x+y&b=%2F").at(1).second, "/");
}

TEST(Head, RefusesWhatTwoParsersCouldReadInTwoWays) {
  for (const std::string bad :
       {"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n", "GET / HTTP/1.1\r\n folded\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "G ET / HTTP/1.1 x\r\n\r\n"}) {
    EXPECT_THROW(parse_request_head(bad, {}), Error) << bad;
  }
  EXPECT_THROW(serialize_headers({{"X", "a\r\nEvil: b"}}), Error);
}

TEST(Headers, AreRedactedForLogs) {
  const Headers headers = {{"Authorization", "Bearer hunter2"}, {"Accept", "x"}};
  EXPECT_EQ(headers.redacted(), "Authorization: ***, Accept: x");
}

TEST(Client, SendsAndReusesItsConnection) {
  run(with_server([](Url url) -> Task<void> {
    Client client(to(url));
    Request request{"PUT", "/a?x=1", {}, "hello", nullptr};
    for (int i = 0; i < 3; ++i) {
      const auto response = co_await client.send(request);
      EXPECT_EQ(response.status, 200);
      EXPECT_EQ(response.body, "/a|hello");
      EXPECT_EQ(response.headers.get("x-method"), "PUT");
    }
    EXPECT_EQ((co_await client.send({"HEAD", "/a", {}, "", nullptr})).body, "");
    EXPECT_EQ((co_await client.send({"GET", "/stream", {}, "", nullptr})).body, "one,two,three");
    const auto missing = co_await client.send({"GET", "/fail", {}, "", nullptr});
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.body, "nothing here\n");
    EXPECT_EQ((co_await client.send({"POST", "/ignore-body", {}, std::string(100'000, 'x'), nullptr})).body, "ignored");
    EXPECT_EQ((co_await client.send(request)).body, "/a|hello");
  }));
}

class Countdown final : public BodySource {
 public:
  explicit Countdown(int pieces) : pieces_(pieces), left_(pieces) {}
  Task<std::string_view> next() override {
    co_return left_-- > 0 ? std::string_view("0123456789") : std::string_view{};
  }
  void rewind() override { left_ = pieces_; }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  int pieces_;
  int left_;
};

TEST(Client, StreamsABodyOfUnknownSize) {
  run(with_server([](Url url) -> Task<void> {
    Client client(to(url));
    Request request{"POST", "/", {}, "", std::make_shared<Countdown>(1000)};
    EXPECT_EQ((co_await client.send(std::move(request))).body.size(), 2u + 10'000u);
  }));
}

TEST(Client, ServesManyAtOnceWithinItsLimit) {
  run(with_server([](Url url) -> Task<void> {
    auto options = to(url);
    options.max_connections = 3;
    Client client(options);
    auto one = [](Client c, int* done) -> Task<void> {
      *done += (co_await c.send({"GET", "/x", {}, "", nullptr})).status == 200;
    };
    int done = 0;
    auto scope = co_await async::Scope::create();
    for (int i = 0; i < 50; ++i) scope.spawn(one(client, &done));
    co_await scope.join();
    EXPECT_EQ(done, 50);
  }));
}

TEST(Client, ABodyThatIsCutOffIsNeverTakenForAWholeOne) {
  run(with_server([](Url url) -> Task<void> {
    for (const auto& faults :
         {net::testing::Faults{.close_read_after = 60}, net::testing::Faults{.reset_read_after = 60}}) {
      auto options = to(url);
      options.connector = net::testing::faulty_connector(net::tcp_connector(), {faults, faults});
      auto get = [](ClientOptions with) -> Task<void> {
        co_await Client(with).send({"GET", "/stream", {}, "", nullptr});
      };
      EXPECT_THAT(co_await failure_of(get(options)), HasSubstr("Unavailable"));
    }
  }));
}

TEST(Client, GivesUpOnASilentServerAndNamesTheRequest) {
  run(with_server([](Url url) -> Task<void> {
    auto options = to(url);
    options.response_limit = 10ms;
    options.connector = net::testing::faulty_connector(net::tcp_connector(), {{.stall_read_after = 0}});
    auto get = [](ClientOptions with) -> Task<void> { co_await Client(with).send({"GET", "/x", {}, "", nullptr}); };
    EXPECT_THAT(co_await failure_of(get(options)),
                HasSubstr("Timeout: GET " + url.str() + "/x: wait for the answer: no answer within 10 ms"));
  }));
}

TEST(Client, TriesAnIdempotentRequestAgainOnAConnectionThatHadGoneStale) {
  run(with_server([](Url url) -> Task<void> {
    auto options = to(url);
    // The first connection answers once and is then closed by the server.
    options.connector = net::testing::faulty_connector(net::tcp_connector(), {{.close_read_after = 56}});
    Client client(options);
    const auto first = co_await client.send({"GET", "/a", {}, "", nullptr});
    EXPECT_EQ(first.body, "/a|");
    EXPECT_EQ((co_await client.send({"GET", "/b", {}, "", nullptr})).body, "/b|");
  }));
}

TEST(Client, SlicedReadsChangeNothing) {
  run(with_server([](Url url) -> Task<void> {
    auto options = to(url);
    options.connector = net::testing::faulty_connector(net::tcp_connector(), {{.slice_reads = 1}});
    EXPECT_EQ((co_await Client(options).send({"GET", "/stream", {}, "", nullptr})).body, "one,two,three");
  }));
}

TEST(Server, AnswersMalformedRequestsAndClosesThem) {
  run(with_server([](Url url) -> Task<void> {
    const auto stream = co_await net::tcp_connector()->connect({url.host, url.port});
    co_await stream->write_all("GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string answer;
    std::array<char, 1000> buffer{};
    while (const auto size = co_await stream->read_some(buffer)) answer.append(buffer.data(), size);
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 400 Bad Request"));
  }));
}

TEST(Server, HandsTheStreamOverOnAnUpgrade) {
  auto handler = [](ServerRequest&, ResponseWriter& writer) -> Task<void> {
    const auto stream = co_await writer.upgrade({{"Connection", "Upgrade"}, {"Upgrade", "test"}});
    co_await stream->write_all("raw");
    co_await stream->close();
  };
  run(with_server(
      [](Url url) -> Task<void> {
        const auto stream = co_await Client(to(url)).upgrade({"GET", "/", {{"Connection", "Upgrade"}}, "", nullptr});
        std::array<char, 10> buffer{};
        EXPECT_EQ(co_await stream->read_some(buffer), 3u);
      },
      handler));
}

}  // namespace
}  // namespace mtc::http
