#include "net/tls.hpp"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/connect.hpp"
#include "net/openssl.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"
#include "net/tls_stream.hpp"

namespace mtc::net {
namespace {

using namespace std::chrono_literals;
using testing::echo;
using testing::ends_when_cancelled;
using testing::failure_of;
using ::testing::HasSubstr;
using testing::run;

Task<void> read_once(Stream* from) {
  std::array<char, 1> byte{};
  co_await from->read_some(byte);
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

  /// What a client that presents `certificate` (or none) hears of a server that lets only mtc-sender in.
  std::string sent_as(const Certificate& certificate) {
    auto options = trusting(ca_);
    options.minimum = TlsVersion::k13;
    options.cert_pem = certificate.cert_pem;
    options.key_pem = certificate.key_pem;
    return talk({server_.cert_pem, server_.key_pem, ca_.cert_pem, "mtc-sender", TlsVersion::k13}, options,
                "server.test")
        .client_failure;
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
  const auto nameless = issue_certificate(ca_, "server.test", {}, {}, now_);
  EXPECT_THAT(talk({nameless.cert_pem, nameless.key_pem, ""}, trusting(ca_), "server.test").client_failure,
              HasSubstr("x509:"));
  const auto old = issue_certificate(ca_, "server", {"server.test"}, {}, now_ - 48h, 24h);
  EXPECT_THAT(talk({old.cert_pem, old.key_pem, ""}, trusting(ca_), "server.test").client_failure,
              HasSubstr("x509: certificate has expired"));
  const auto early = issue_certificate(ca_, "server", {"server.test"}, {}, now_ + 48h);
  EXPECT_THAT(talk({early.cert_pem, early.key_pem, ""}, trusting(ca_), "server.test").client_failure,
              HasSubstr("x509: certificate is not yet valid"));
}

TEST_F(Tls, IssuesNoCertificateThatNobodyWouldTrust) {
  EXPECT_THROW(issue_certificate(ca_, "test-ca", {"server.test"}, {}, now_), Error);
}

TEST_F(Tls, TakesEveryCertificateOfABundleAsAnAnchor) {
  // A server's own certificate in a kubeconfig's certificate-authority-data: Go, and so kubectl, trusts it.
  TlsClientOptions options;
  options.ca_pem =
      other_ca_.cert_pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + server_.cert_pem;
  EXPECT_EQ(talk({server_.cert_pem, server_.key_pem, ""}, options, "server.test").client_failure, "");
}

TEST_F(Tls, UnderstandsWildcardsOfOneLabel) {
  const auto wild = issue_certificate(ca_, "server", {"*.apps.test"}, {}, now_);
  EXPECT_EQ(talk({wild.cert_pem, wild.key_pem, ""}, trusting(ca_), "shop.apps.test").client_failure, "");
  EXPECT_THAT(talk({wild.cert_pem, wild.key_pem, ""}, trusting(ca_), "a.b.apps.test").client_failure,
              HasSubstr("x509: certificate is valid for *.apps.test, not for a.b.apps.test"));
}

TEST_F(Tls, ChecksTheNameItIsToldTo) {
  auto options = trusting(ca_);
  options.server_name = "server.test";
  EXPECT_EQ(talk({server_.cert_pem, server_.key_pem, ""}, options, "tunnel.test").client_failure, "");
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

TEST_F(Tls, RefusesAClientOfAnotherAuthority) {
  const auto stranger = issue_certificate(other_ca_, "kubernetes-admin", {}, {"system:masters"}, now_);
  auto options = trusting(ca_);
  options.cert_pem = stranger.cert_pem;
  options.key_pem = stranger.key_pem;
  const auto ends = talk({server_.cert_pem, server_.key_pem, ca_.cert_pem}, options, "server.test");
  EXPECT_EQ(ends.seen_by_server.common_name, "");
  EXPECT_THAT(ends.client_failure, HasSubstr("Tls: read from pipe: tlsv1 alert unknown ca"));
  options.verify = Verify::kNo;
  EXPECT_THAT(talk({server_.cert_pem, server_.key_pem, ca_.cert_pem}, options, "server.test").client_failure,
              HasSubstr("alert unknown ca"));
}

TEST_F(Tls, LetsOnlyTheClientOfOneNameIn) {
  EXPECT_EQ(sent_as(issue_certificate(ca_, "any", {"mtc-sender"}, {}, now_)), "");
  EXPECT_THAT(sent_as(issue_certificate(ca_, "mtc-sender", {"mtc-receiver"}, {}, now_)), HasSubstr("Tls: read from"));
  EXPECT_THAT(sent_as(issue_certificate(ca_, "mtc-sender", {}, {}, now_)), HasSubstr("Tls: read from"));
  EXPECT_THAT(sent_as(issue_certificate(other_ca_, "any", {"mtc-sender"}, {}, now_)), HasSubstr("unknown ca"));
  EXPECT_THAT(sent_as({}), HasSubstr("certificate required"));
  EXPECT_THROW(TlsServer({server_.cert_pem, server_.key_pem, "", "mtc-sender", TlsVersion::k13}), Error);
}

TEST_F(Tls, ChecksAnotherNameThanItAsksFor) {
  auto options = trusting(ca_);
  options.peer_name = "server.test";
  EXPECT_EQ(talk({server_.cert_pem, server_.key_pem, ""}, options, "route.apps.test").client_failure, "");
  options.peer_name = "elsewhere.test";
  EXPECT_THAT(talk({server_.cert_pem, server_.key_pem, ""}, options, "server.test").client_failure,
              HasSubstr("not for elsewhere.test"));
}

TEST_F(Tls, RefusesTls12WhereItIsToldTo) {
  run([](TlsServerOptions server) -> Task<void> {
    auto [near, far] = make_pipe();
    SslContextPtr old(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(old.get(), TLS1_2_VERSION);
    SslPtr ssl(SSL_new(old.get()));
    SSL_set_connect_state(ssl.get());
    TlsStream client(std::move(near), std::move(ssl), "server.test");
    auto accept = [](TlsServerOptions with, StreamPtr over) -> Task<void> {
      co_await TlsServer(std::move(with)).handshake(std::move(over));
    };
    auto scope = co_await async::Scope::create();
    std::string refusal;
    auto serve = [](Task<void> accepting, std::string* into) -> Task<void> {
      *into = co_await failure_of(std::move(accepting));
    };
    scope.spawn(serve(accept(std::move(server), std::move(far)), &refusal));
    EXPECT_THAT(co_await failure_of(client.handshake()), HasSubstr("protocol version"));
    co_await scope.join();
    EXPECT_THAT(refusal, HasSubstr("unsupported protocol"));
  }({server_.cert_pem, server_.key_pem, "", "", TlsVersion::k13}));
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

/// Both ends after the handshake.
struct Secured {
  StreamPtr client;
  StreamPtr server;
};
Task<Secured> secured(TlsServerOptions server, TlsClientOptions client, StreamPtr near, StreamPtr far) {
  Secured ends;
  auto accept = [](TlsServerOptions with, StreamPtr transport, StreamPtr* out) -> Task<void> {
    auto accepted = co_await TlsServer(std::move(with)).handshake(std::move(transport));
    *out = std::move(accepted.stream);
  };
  auto scope = co_await async::Scope::create();
  scope.spawn(accept(std::move(server), std::move(far), &ends.server));
  ends.client = co_await TlsClient(std::move(client)).handshake(std::move(near), "server.test");
  co_await scope.join();
  co_return ends;
}

TEST_F(Tls, TellsAnEndFromACutOff) {
  run([](TlsServerOptions server, TlsClientOptions client) -> Task<void> {
    auto [near, far] = make_pipe();
    auto ends = co_await secured(server, client, std::move(near), std::move(far));
    co_await ends.server->write_all("all");
    co_await ends.server->close();
    EXPECT_EQ(co_await testing::read_to_end(ends.client.get()), "all");

    auto [near2, far2] = make_pipe();
    ends = co_await secured(server, client, std::move(near2), std::move(far2));
    co_await ends.server->write_all("half");
    ends.server.reset();
    auto read_all = [](Stream* from) -> Task<void> { co_await testing::read_to_end(from); };
    EXPECT_THAT(co_await failure_of(read_all(ends.client.get())),
                HasSubstr("Unavailable: read from pipe: the connection was cut off"));
  }({server_.cert_pem, server_.key_pem, ""}, trusting(ca_)));
}

TEST_F(Tls, NoticesAFlippedBit) {
  run([](TlsServerOptions server, TlsClientOptions client) -> Task<void> {
    auto [near, far] = make_pipe();
    // Far beyond the handshake, within the data.
    auto gate = testing::faulty(std::move(near), {.corrupt_read_at = 20'000});
    auto ends = co_await secured(server, client, std::move(gate), std::move(far));
    co_await ends.server->write_all(std::string(30'000, 'x'));
    co_await ends.server->close();
    auto read_all = [](Stream* from) -> Task<void> { co_await testing::read_to_end(from); };
    EXPECT_THAT(co_await failure_of(read_all(ends.client.get())), HasSubstr("Tls: read from pipe: "));
  }({server_.cert_pem, server_.key_pem, ""}, trusting(ca_)));
}

TEST_F(Tls, CanBeCancelledEverywhere) {
  run([](TlsServerOptions server, TlsClientOptions client) -> Task<void> {
    auto shake = [](TlsClientOptions with, StreamPtr over) -> Task<void> {
      co_await TlsClient(std::move(with)).handshake(std::move(over), "server.test");
    };
    auto accept = [](TlsServerOptions with, StreamPtr over) -> Task<void> {
      co_await TlsServer(std::move(with)).handshake(std::move(over));
    };
    auto [silent, held] = make_pipe();
    EXPECT_TRUE(co_await ends_when_cancelled(shake(client, std::move(silent))));
    auto [other_silent, other_held] = make_pipe();
    EXPECT_TRUE(co_await ends_when_cancelled(accept(server, std::move(other_silent))));

    auto [near, far] = make_pipe();
    auto ends = co_await secured(server, client, std::move(near), std::move(far));
    EXPECT_TRUE(co_await ends_when_cancelled(read_once(ends.client.get())));
    const std::string more_than_the_pipe_holds(1024 * 1024, 'x');
    EXPECT_TRUE(co_await ends_when_cancelled(ends.server->write_all(more_than_the_pipe_holds)));
    // The pipe is full, so the goodbye cannot be said; closing must not wait for it for long.
    co_await async::with_timeout(5s, "close", ends.server->close());
  }({server_.cert_pem, server_.key_pem, ""}, trusting(ca_)));
}

TEST_F(Tls, WorksOverSocketsAndThroughSlicedReads) {
  run([](TlsServerOptions server, TlsClientOptions client) -> Task<void> {
    const auto listener = co_await listen_tcp({"127.0.0.1", 0});
    auto accept = [](Listener* l, StreamPtr* out) -> Task<void> { *out = co_await l->accept(); };
    StreamPtr far;
    auto scope = co_await async::Scope::create();
    scope.spawn(accept(listener.get(), &far));
    auto near = testing::faulty(co_await tcp_connector()->connect(listener->local()), {.slice_reads = 7});
    co_await scope.join();
    auto ends = co_await secured(server, client, std::move(near), std::move(far));

    const std::string data(100'000, 'x');
    auto send = [](Stream* to, std::string bytes) -> Task<void> {
      co_await to->write_all(bytes);
      co_await to->close();
    };
    auto sending = co_await async::Scope::create();
    sending.spawn(send(ends.server.get(), data));
    EXPECT_EQ(co_await testing::read_to_end(ends.client.get()), data);
    co_await sending.join();
  }({server_.cert_pem, server_.key_pem, ""}, trusting(ca_)));
}

}  // namespace
}  // namespace mtc::net
