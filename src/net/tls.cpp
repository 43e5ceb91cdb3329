#include "net/tls.hpp"

#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"
#include "net/openssl.hpp"
#include "net/tls_stream.hpp"

namespace mtc::net {
namespace {

SslContextPtr make_context(const SSL_METHOD* method, TlsVersion minimum) {
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) throw Error(Code::kTls, fmt::format("start TLS: {}", openssl_error()));
  SSL_CTX_set_min_proto_version(context.get(), minimum == TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

void use_certificate(SSL_CTX* context, std::string_view cert_pem, const Secret& key_pem, std::string_view whose) {
  const auto bio = read_bio(cert_pem);
  const X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!leaf) throw Error(Code::kTls, fmt::format("{} certificate is not PEM: {}", whose, openssl_error()));
  SSL_CTX_use_certificate(context, leaf.get());
  while (auto* intermediate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    SSL_CTX_add0_chain_cert(context, intermediate);
  }
  ERR_clear_error();
  const auto key = parse_key(key_pem.reveal(), fmt::format("{} key", whose));
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    throw Error(Code::kTls, fmt::format("{} key does not belong to its certificate", whose));
  }
}

/// Adds every certificate of `pem` to the trust store; at least one is demanded. As Go does, each of them is an anchor,
/// also an intermediate authority or a server's own certificate.
void trust(SSL_CTX* context, std::string_view pem, std::string_view what) {
  auto* store = SSL_CTX_get_cert_store(context);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  const auto bio = read_bio(pem);
  int count = 0;
  for (;;) {
    ERR_clear_error();
    const X509Ptr authority(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (authority) {
      X509_STORE_add_cert(store, authority.get());
      ++count;
    } else if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
      break;
    }  // Else a block that cannot be read: the others may be enough.
  }
  ERR_clear_error();
  if (count == 0) throw Error(Code::kTls, fmt::format("{} holds no PEM certificate", what));
}

bool is_address(const std::string& host) {
  boost::system::error_code no;
  boost::asio::ip::make_address(host, no);
  return !no;
}

/// The peer's certificate must be for `host`. Names in a subject's CN and wildcards such as "w*.example.com" are no
/// longer believed (RFC 9525 §6.3).
void expect_peer(SSL* ssl, const std::string& host) {
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, host.c_str());
  }
}

}  // namespace

struct TlsClient::State {
  SslContextPtr context;
  TlsClientOptions options;
};

TlsClient::TlsClient(TlsClientOptions options) : state_(std::make_shared<State>()) {
  state_->context = make_context(TLS_client_method(), options.minimum);
  auto* context = state_->context.get();
  if (options.verify == Verify::kYes) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, TlsStream::note_refused);
    if (options.ca_pem.empty()) {
      SSL_CTX_set_default_verify_paths(context);
    } else {
      trust(context, options.ca_pem, "the CA bundle");
    }
  }
  if (!options.cert_pem.empty()) use_certificate(context, options.cert_pem, options.key_pem, "the client's");
  state_->options = std::move(options);
}

Task<StreamPtr> TlsClient::handshake(StreamPtr transport, std::string host) const {
  const auto state = state_;
  const auto& options = state->options;
  if (!options.server_name.empty()) host = options.server_name;
  SslPtr ssl(SSL_new(state->context.get()));
  SSL_set_connect_state(ssl.get());
  if (!is_address(host)) SSL_set_tlsext_host_name(ssl.get(), host.c_str());
  if (!options.peer_name.empty()) host = options.peer_name;
  expect_peer(ssl.get(), host);
  auto stream = std::make_unique<TlsStream>(std::move(transport), std::move(ssl), host);
  co_await stream->handshake();
  co_return stream;
}

struct TlsServer::State {
  SslContextPtr context;
  std::string client_name;
};

TlsServer::TlsServer(TlsServerOptions options) : state_(std::make_shared<State>()) {
  state_->context = make_context(TLS_server_method(), options.minimum);
  auto* context = state_->context.get();
  use_certificate(context, options.cert_pem, options.key_pem, "the server's");
  if (!options.client_ca_pem.empty()) {
    trust(context, options.client_ca_pem, "the client CA bundle");
    const int demand = options.client_name.empty() ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | demand, TlsStream::note_refused);
    const auto name = std::string("mtc");
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<unsigned>(name.size()));
  } else if (!options.client_name.empty()) {
    throw Error(Code::kInvalid, "a name is demanded of clients, and no authority says who bears it");
  }
  state_->client_name = std::move(options.client_name);
}

Task<TlsServer::Accepted> TlsServer::handshake(StreamPtr transport) const {
  const auto state = state_;
  SslPtr ssl(SSL_new(state->context.get()));
  SSL_set_accept_state(ssl.get());
  if (!state->client_name.empty()) expect_peer(ssl.get(), state->client_name);
  auto stream = std::make_unique<TlsStream>(std::move(transport), std::move(ssl), state->client_name);
  co_await stream->handshake();
  Accepted accepted;
  if (const X509Ptr peer(SSL_get1_peer_certificate(stream->ssl())); peer) {
    const auto names = subject_values(peer.get(), NID_commonName);
    accepted.peer = {names.empty() ? "" : names.front(), subject_values(peer.get(), NID_organizationName)};
  }
  accepted.stream = std::move(stream);
  co_return accepted;
}

}  // namespace mtc::net
