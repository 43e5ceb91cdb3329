#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/connect.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/tls.hpp"

namespace mtc::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

void run(Task<void> body) { async::Runtime().run(std::move(body)); }

Task<std::string> read_to_end(Stream* from) {
  std::string all;
  std::array<char, 1000> buffer{};
  while (const auto size = co_await from->read_some(buffer)) all.append(buffer.data(), size);
  co_return all;
}

Task<void> write_and_close(Stream* to, std::string data) {
  co_await to->write_all(data);
  co_await to->close();
}

/// Echoes one connection until its end.
Task<void> echo(StreamPtr stream) {
  std::array<char, 4096> buffer{};
  while (const auto size = co_await stream->read_some(buffer)) co_await stream->write_all({buffer.data(), size});
  co_await stream->close();
}

std::string message_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
}

/// The text of the Error that `task` throws; "" if it throws none.
Task<std::string> failure_of(Task<void> task) {
  std::exception_ptr failure;
  try {
    co_await std::move(task);
  } catch (const Error&) {
    failure = std::current_exception();
  }
  co_return failure ? message_of(failure) : "";
}

TEST(Pipe, CarriesMoreThanItHolds) {
  run([]() -> Task<void> {
    auto [a, b] = make_pipe(10);
    const std::string data(5000, 'x');
    auto scope = co_await async::Scope::create();
    scope.spawn(write_and_close(a.get(), data));
    EXPECT_EQ(co_await read_to_end(b.get()), data);
    co_await scope.join();
  }());
}

TEST(Tcp, EchoesAndReportsItsPeer) {
  run([]() -> Task<void> {
    const auto listener = co_await listen_tcp({"127.0.0.1", 0});
    auto serve = [](Listener* l) -> Task<void> { co_await echo(co_await l->accept()); };
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

TEST(Tcp, SaysWhoRefused) {
  run([]() -> Task<void> {
    auto listener = co_await listen_tcp({"127.0.0.1", 0});
    const auto port = listener->local().port;
    listener->close();
    auto connect = [](std::uint16_t to) -> Task<void> { co_await tcp_connector()->connect({"127.0.0.1", to}); };
    const auto text = co_await failure_of(connect(port));
    EXPECT_THAT(text, HasSubstr("Unavailable: connect to 127.0.0.1:" + std::to_string(port)));
    EXPECT_THAT(text, HasSubstr("Connection refused"));
  }());
}

TEST(Tcp, AnUnknownHostIsNotFound) {
  run([]() -> Task<void> {
    auto connect = []() -> Task<void> { co_await tcp_connector()->connect({"no-such-host.invalid", 1}); };
    EXPECT_THAT(co_await failure_of(connect()), HasSubstr("NotFound: host name no-such-host.invalid is unknown"));
  }());
}

TEST(Tcp, ACancelledReadEnds) {
  run([]() -> Task<void> {
    const auto listener = co_await listen_tcp({"127.0.0.1", 0});
    const auto stream = co_await tcp_connector()->connect(listener->local());
    auto read = [](Stream* s) -> Task<void> {
      std::array<char, 1> buffer{};
      co_await s->read_some(buffer);
    };
    EXPECT_THAT(co_await failure_of(async::with_timeout(5ms, "read", read(stream.get()))), HasSubstr("Timeout"));
  }());
}

class Tls : public ::testing::Test {
 protected:
  const Time now_ = system_clock().now();
  const Certificate ca_ = make_ca("test-ca", now_);
  const Certificate other_ca_ = make_ca("other-ca", now_);
  const Certificate server_ = issue_certificate(ca_, "server", {"127.0.0.1", "server.test"}, {}, now_);

  TlsClientOptions trusting(const Certificate& ca) {
    TlsClientOptions options;
    options.ca_pem = ca.cert_pem;
    return options;
  }

  struct Ends {
    std::string client_failure;
    PeerIdentity seen_by_server;
    std::string echoed;
  };

  /// One TLS conversation over a pipe.
  Ends talk(TlsServerOptions server_options, TlsClientOptions client_options, std::string host,
            std::string data = "hi") {
    Ends ends;
    run(conversation(&ends, std::move(server_options), std::move(client_options), std::move(host), std::move(data)));
    return ends;
  }

  static Task<void> conversation(Ends* ends, TlsServerOptions server_options, TlsClientOptions client_options,
                                 std::string host, std::string data) {
    auto [near, far] = make_pipe();
    auto serve = [](TlsServerOptions options, StreamPtr transport, PeerIdentity* seen) -> Task<void> {
      auto accepted = co_await TlsServer(std::move(options)).handshake(std::move(transport));
      *seen = accepted.peer;
      co_await echo(std::move(accepted.stream));
    };
    auto scope = co_await async::Scope::create();
    scope.spawn_isolated(serve(std::move(server_options), std::move(far), &ends->seen_by_server), [](const auto&) {});
    auto client = [](TlsClientOptions options, StreamPtr transport, std::string to, std::string text,
                     std::string* echoed) -> Task<void> {
      const auto stream = co_await TlsClient(std::move(options)).handshake(std::move(transport), std::move(to));
      // Both directions at once: the echo would block on a full pipe otherwise.
      auto writing = co_await async::Scope::create();
      writing.spawn(stream->write_all(text));
      std::array<char, 4096> buffer{};
      while (echoed->size() < text.size()) echoed->append(buffer.data(), co_await stream->read_some(buffer));
      co_await writing.join();
      co_await stream->close();
    };
    ends->client_failure = co_await failure_of(
        client(std::move(client_options), std::move(near), std::move(host), std::move(data), &ends->echoed));
    co_await scope.cancel_and_join();
  }
};

TEST_F(Tls, TrustsItsCaForNamesAndAddresses) {
  const std::string data(300'000, 'z');
  const auto by_name = talk({server_.cert_pem, server_.key_pem, ""}, trusting(ca_), "server.test", data);
  EXPECT_EQ(by_name.client_failure, "");
  EXPECT_EQ(by_name.echoed, data);
  EXPECT_EQ(talk({server_.cert_pem, server_.key_pem, ""}, trusting(ca_), "127.0.0.1").client_failure, "");
}

TEST_F(Tls, SaysWhyItDoesNotTrust) {
  EXPECT_THAT(talk({server_.cert_pem, server_.key_pem, ""}, trusting(other_ca_), "server.test").client_failure,
              HasSubstr("Tls: TLS handshake with pipe: x509: certificate signed by unknown authority"));
  EXPECT_THAT(talk({server_.cert_pem, server_.key_pem, ""}, trusting(ca_), "elsewhere.test").client_failure,
              HasSubstr("x509: certificate is valid for 127.0.0.1, server.test, not for elsewhere.test"));
  EXPECT_THAT(talk({server_.cert_pem, server_.key_pem, ""}, trusting(ca_), "10.0.0.1").client_failure,
              HasSubstr("not for 10.0.0.1"));
  const auto old = issue_certificate(ca_, "server", {"server.test"}, {}, now_ - 48h, 24h);
  EXPECT_THAT(talk({old.cert_pem, old.key_pem, ""}, trusting(ca_), "server.test").client_failure,
              HasSubstr("x509: certificate has expired"));
}

TEST_F(Tls, CanBeToldNotToVerify) {
  TlsClientOptions options;
  options.verify = Verify::kNo;
  EXPECT_EQ(talk({server_.cert_pem, server_.key_pem, ""}, options, "anything.test").client_failure, "");
}

TEST_F(Tls, ShowsTheServerWhoTheClientIs) {
  const auto admin = issue_certificate(ca_, "kubernetes-admin", {}, {"system:masters", "dev"}, now_);
  auto options = trusting(ca_);
  options.cert_pem = admin.cert_pem;
  options.key_pem = admin.key_pem;
  const auto ends = talk({server_.cert_pem, server_.key_pem, ca_.cert_pem}, options, "server.test");
  EXPECT_EQ(ends.client_failure, "");
  EXPECT_EQ(ends.seen_by_server.common_name, "kubernetes-admin");
  EXPECT_THAT(ends.seen_by_server.organizations, ::testing::ElementsAre("system:masters", "dev"));
}

TEST_F(Tls, NamesAPeerThatSpeaksNoTls) {
  run([](TlsClientOptions options) -> Task<void> {
    auto [near, far] = make_pipe();
    co_await far->write_all("HTTP/1.1 400 Bad Request\r\n\r\n");
    auto client = [](TlsClientOptions with, StreamPtr transport) -> Task<void> {
      co_await TlsClient(std::move(with)).handshake(std::move(transport), "server.test");
    };
    EXPECT_THAT(co_await failure_of(client(std::move(options), std::move(near))), HasSubstr("does not speak TLS"));
  }(trusting(ca_)));
}

TEST_F(Tls, RefusesUnreadableBundles) {
  TlsClientOptions options;
  options.ca_pem = "nonsense";
  EXPECT_THROW(TlsClient{options}, Error);
  options = trusting(ca_);
  options.cert_pem = server_.cert_pem;
  options.key_pem = ca_.key_pem;
  EXPECT_THROW(TlsClient{options}, Error);
}

TEST(FaultGate, StrikesAtItsByte) {
  run([]() -> Task<void> {
    auto [a, b] = make_pipe();
    co_await a->write_all("0123456789");
    testing::Faults faults;
    faults.corrupt_read_at = 3;
    faults.reset_read_after = 6;
    faults.slice_reads = 4;
    const auto gate = testing::faulty(std::move(b), faults);
    std::array<char, 100> buffer{};
    EXPECT_EQ(co_await gate->read_some(buffer), 4u);
    EXPECT_EQ(std::string(buffer.data(), 4), "0122");
    EXPECT_EQ(co_await gate->read_some(buffer), 2u);
    auto read = [](Stream* s) -> Task<void> {
      std::array<char, 1> one{};
      co_await s->read_some(one);
    };
    EXPECT_THAT(co_await failure_of(read(gate.get())), HasSubstr("reset by the gate"));
  }());
}

}  // namespace
}  // namespace mtc::net
