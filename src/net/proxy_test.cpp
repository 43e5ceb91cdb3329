#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "net/connect.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::net {
namespace {

using ::testing::ElementsAre;
using testing::failure_of;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run;

/// Notes where connections go, and gives each the same answer.
class NotingConnector final : public Connector {
 public:
  explicit NotingConnector(std::string answer) : answer_(std::move(answer)) {}

  Task<StreamPtr> connect(Endpoint to) override {
    targets.push_back(text_of(to));
    auto [near, far] = make_pipe();
    co_await far->write_all(answer_);
    far_end = std::move(far);
    co_return std::move(near);
  }

  std::vector<std::string> targets;
  StreamPtr far_end;

 private:
  std::string answer_;
};

const std::string kTunnel = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";

Task<void> connect(ConnectorPtr connector, Endpoint to) { co_await connector->connect(std::move(to)); }

Task<std::string> read_some(Stream* from) {
  std::array<char, 1000> buffer{};
  co_return std::string(buffer.data(), co_await from->read_some(buffer));
}

TEST(Proxy, AsksForATunnelAndGivesItAway) {
  run([]() -> Task<void> {
    auto direct = std::make_shared<NotingConnector>(kTunnel + "first bytes");
    const auto connector = proxy_connector({"http://user:p%40ss@proxy.test:3128", ""}, direct);
    const auto stream = co_await connector->connect({"api.west.test", 6443});
    EXPECT_THAT(direct->targets, ElementsAre("proxy.test:3128"));
    EXPECT_EQ(co_await read_some(direct->far_end.get()),
              "CONNECT api.west.test:6443 HTTP/1.1\r\nHost: api.west.test:6443\r\n"
              "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n");
    EXPECT_EQ(co_await read_some(stream.get()), "first bytes");
  }());
}

TEST(Proxy, ARefusalNamesTheProxyAndNotItsPassword) {
  run([]() -> Task<void> {
    auto direct = std::make_shared<NotingConnector>("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    const auto text = co_await failure_of(
        connect(proxy_connector({"http://user:hunter2@10.1.2.3:8080", ""}, direct), {"a.test", 443}));
    EXPECT_EQ(
        text,
        "Unavailable: proxy 10.1.2.3:8080 refuses CONNECT a.test:443: HTTP/1.1 407 Proxy Authentication Required");
  }());
}

TEST(Proxy, SilenceAndEndlessAnswersAreRefusals) {
  run([]() -> Task<void> {
    auto endless = std::make_shared<NotingConnector>("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x'));
    EXPECT_THAT(co_await failure_of(connect(proxy_connector({"p.test:1", ""}, endless), {"a.test", 443})),
                HasSubstr("gives no answer"));
    auto silent = std::make_shared<NotingConnector>("");
    const auto closing = testing::faulty_connector(silent, {{.close_read_after = 0}});
    EXPECT_THAT(co_await failure_of(connect(proxy_connector({"p.test:1", ""}, closing), {"a.test", 443})),
                HasSubstr("proxy p.test:1 gives no answer to CONNECT a.test:443"));
    EXPECT_TRUE(
        co_await testing::ends_when_cancelled(connect(proxy_connector({"p.test:1", ""}, silent), {"a.test", 443})));
  }());
}

TEST(Proxy, UnusableUrlsAreRefusedWithoutShowingThem) {
  run([]() -> Task<void> {
    for (const auto* url : {"socks5://u:hunter2@p.test:1", "http://u:hunter2@:1", "http://u:hunter2@p.test:0",
                            "http://u:hunter2@p.test:x"}) {
      auto direct = std::make_shared<NotingConnector>(kTunnel);
      const auto text = co_await failure_of(connect(proxy_connector({url, ""}, direct), {"a.test", 443}));
      EXPECT_THAT(text, HasSubstr("Invalid: the")) << url;
      EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    }
  }());
}

struct Exemption {
  const char* no_proxy;
  const char* host;
  bool straight;
};

TEST(Proxy, ExemptsWhatGoExempts) {
  const std::vector<Exemption> cases = {
      {"", "a.test", false},
      {"", "localhost", true},
      {"", "127.0.0.9", true},
      {"", "::1", true},
      {"*", "a.test", true},
      {"b.test", "a.test", false},
      {"a.test", "a.test", true},
      {"a.test", "x.a.test", true},
      {"a.test", "xa.test", false},
      {".a.test", "x.a.test", true},
      {".a.test", "a.test", false},
      {"*.a.test", "x.a.test", true},
      {"*.a.test", "a.test", false},
      {"A.Test", "a.test", true},
      {" b.test , a.test ", "a.test", true},
      {"a.test:443", "a.test", true},
      {"a.test:80", "a.test", false},
      {"10.0.0.1", "10.0.0.1", true},
      {"10.0.0.1", "10.0.0.2", false},
      {"10.0.0.1:443", "10.0.0.1", true},
      {"10.0.0.1:80", "10.0.0.1", false},
      {"10.0.0.0/8", "10.9.8.7", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"10.0.0.0/33", "10.0.0.1", false},
      {"fd00::/8", "fd12::1", true},
      {"fd00::/8", "fe80::1", false},
      {"fd12::1", "fd12::1", true},
      {",,", "a.test", false},
  };
  run([](std::vector<Exemption> rows) -> Task<void> {
    for (const auto& row : rows) {
      auto direct = std::make_shared<NotingConnector>(kTunnel);
      const auto connector = proxy_connector({"http://proxy.test:3128", row.no_proxy}, direct);
      co_await connector->connect({row.host, 443});
      const auto expected = row.straight ? text_of({row.host, 443}) : "proxy.test:3128";
      EXPECT_THAT(direct->targets, ElementsAre(expected)) << row.no_proxy << " for " << row.host;
    }
  }(cases));
}

}  // namespace
}  // namespace mtc::net
