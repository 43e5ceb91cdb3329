#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/connect.hpp"
#include "net/testing/outcome.hpp"

namespace mtc::net {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using testing::ends_when_cancelled;
using testing::failure_of;
using ::testing::HasSubstr;
using testing::run;

Task<void> connect(Endpoint to, Duration limit = 10s) { co_await tcp_connector(limit)->connect(std::move(to)); }

Task<void> read_once(Stream* from) {
  std::array<char, 1> byte{};
  co_await from->read_some(byte);
}

Task<void> accept_one(Listener* listener, StreamPtr* out) { *out = co_await listener->accept(); }

/// Both ends of a connection over the loopback.
struct Ends {
  StreamPtr client;
  StreamPtr server;
};
Task<Ends> connected(std::string host = "127.0.0.1") {
  const auto listener = co_await listen_tcp({std::move(host), 0});
  Ends ends;
  auto scope = co_await async::Scope::create();
  scope.spawn(accept_one(listener.get(), &ends.server));
  ends.client = co_await tcp_connector()->connect(listener->local());
  co_await scope.join();
  co_return ends;
}

TEST(Endpoint, IsReadAsItIsWritten) {
  for (const auto* text : {"127.0.0.1:6443", "host.example:0", "[::1]:65535"}) {
    const auto at = parse_endpoint(text);
    ASSERT_TRUE(at) << text;
    EXPECT_EQ(text_of(*at), text);
  }
  for (const auto* text : {"", "host", "host:", ":80", "host:http", "host:65536", "host:-1", "::1:80", "[host]:80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

TEST(Tcp, EchoesAndReportsItsPeer) {
  run([]() -> Task<void> {
    const auto listener = co_await listen_tcp({"127.0.0.1", 0});
    auto serve = [](Listener* l) -> Task<void> { co_await testing::echo(co_await l->accept()); };
    auto scope = co_await async::Scope::create();
    scope.spawn(serve(listener.get()));
    const auto stream = co_await tcp_connector()->connect(listener->local());
    EXPECT_EQ(stream->peer(), "127.0.0.1:" + std::to_string(listener->local().port));
    co_await stream->write_all("hello");
    std::array<char, 10> buffer{};
    EXPECT_EQ(co_await stream->read_some(buffer), 5u);
    co_await stream->close();
    co_await scope.join();
  }());
}

TEST(Tcp, PutsBracketsAroundIpv6) {
  run([]() -> Task<void> {
    const auto listener = co_await listen_tcp({"::1", 0});
    const auto stream = co_await tcp_connector()->connect(listener->local());
    EXPECT_EQ(stream->peer(), "[::1]:" + std::to_string(listener->local().port));
  }());
}

TEST(Tcp, FindsHostsByName) {
  run([]() -> Task<void> {
    const auto listener = co_await listen_tcp({"127.0.0.1", 0});
    EXPECT_EQ(co_await failure_of(connect({"localhost", listener->local().port})), "");
  }());
}

TEST(Tcp, SaysWhoRefused) {
  run([]() -> Task<void> {
    auto listener = co_await listen_tcp({"127.0.0.1", 0});
    const auto port = listener->local().port;
    listener->close();
    EXPECT_THAT(
        co_await failure_of(connect({"127.0.0.1", port})),
        AllOf(HasSubstr("Unavailable: connect to 127.0.0.1:" + std::to_string(port)), HasSubstr("Connection refused")));
  }());
}

TEST(Tcp, AnUnknownHostSaysItsName) {
  run([]() -> Task<void> {
    // Without a name server the answer is "try again" instead of "no such host".
    EXPECT_THAT(co_await failure_of(connect({"no-such-host.invalid", 1})), HasSubstr("host name no-such-host.invalid"));
  }());
}

TEST(Tcp, AnAddressThatIsTakenSaysWhich) {
  run([]() -> Task<void> {
    const auto first = co_await listen_tcp({"127.0.0.1", 0});
    auto again = [](Endpoint at) -> Task<void> { co_await listen_tcp(at); };
    EXPECT_THAT(co_await failure_of(again(first->local())), HasSubstr("listen on " + text_of(first->local())));
  }());
}

TEST(Tcp, EndsOnlyItsOwnWaitsWhenCancelled) {
  run([]() -> Task<void> {
    const auto ends = co_await connected();
    EXPECT_TRUE(co_await ends_when_cancelled(read_once(ends.client.get())));
    const std::string more_than_the_kernel_buffers(64 * 1024 * 1024, 'x');
    EXPECT_TRUE(co_await ends_when_cancelled(ends.server->write_all(more_than_the_kernel_buffers)));

    const auto listener = co_await listen_tcp({"127.0.0.1", 0});
    StreamPtr accepted;
    EXPECT_TRUE(co_await ends_when_cancelled(accept_one(listener.get(), &accepted)));
    EXPECT_EQ(co_await failure_of(connect(listener->local())), "");
  }());
}

TEST(Tcp, AClosedListenerEndsItsAccept) {
  run([]() -> Task<void> {
    const auto listener = co_await listen_tcp({"127.0.0.1", 0});
    StreamPtr accepted;
    bool ended = false;
    auto wait = [](Listener* l, StreamPtr* out, bool* done) -> Task<void> {
      std::exception_ptr end;
      try {
        co_await accept_one(l, out);
      } catch (...) {
        end = std::current_exception();
      }
      *done = async::is_cancellation(end);
    };
    auto scope = co_await async::Scope::create();
    scope.spawn(wait(listener.get(), &accepted, &ended));
    co_await async::yield();
    listener->close();
    co_await scope.join();
    EXPECT_TRUE(ended);
  }());
}

TEST(Tcp, IsQuietUntilSomethingArrives) {
  run([]() -> Task<void> {
    const auto ends = co_await connected();
    EXPECT_TRUE(ends.client->quiet());
    co_await ends.server->close();
    EXPECT_FALSE(ends.client->quiet());
    co_await read_once(ends.client.get());
    EXPECT_FALSE(ends.client->quiet());
  }());
}

}  // namespace
}  // namespace mtc::net
