#include "net/tls.hpp"

#include <array>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "net/openssl.hpp"

namespace mtc::net {
namespace {

constexpr std::size_t kChunk = 64 * 1024;

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> entries(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; entries && i < sk_GENERAL_NAME_num(entries.get()); ++i) {
    const auto* entry = sk_GENERAL_NAME_value(entries.get(), i);
    if (entry->type == GEN_DNS) {
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(entry->d.dNSName)),
                         static_cast<std::size_t>(ASN1_STRING_length(entry->d.dNSName)));
    } else if (entry->type == GEN_IPADD) {
      const auto* bytes = ASN1_STRING_get0_data(entry->d.iPAddress);
      if (ASN1_STRING_length(entry->d.iPAddress) == 4) {
        names.push_back(fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]));
      } else if (ASN1_STRING_length(entry->d.iPAddress) == 16) {
        boost::asio::ip::address_v6::bytes_type v6{};
        std::copy_n(bytes, 16, v6.begin());
        names.push_back(boost::asio::ip::address_v6(v6).to_string());
      }
    }
  }
  return names;
}

/// The values of a subject field, such as the organizations of a client certificate.
std::vector<std::string> subject_values(X509* certificate, int field) {
  std::vector<std::string> values;
  const auto* subject = X509_get_subject_name(certificate);
  for (int at = X509_NAME_get_index_by_NID(subject, field, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(subject, field, at)) {
    const auto* data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    values.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
                        static_cast<std::size_t>(ASN1_STRING_length(data)));
  }
  return values;
}

/// Notes the names of a certificate that is refused, because OpenSSL drops the certificate with the handshake.
int note_names(int verified, X509_STORE_CTX* store) {
  if (verified != 1) {
    auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* names = static_cast<std::string*>(SSL_get_app_data(ssl));
    auto* certificate = X509_STORE_CTX_get_current_cert(store);
    if (names != nullptr && certificate != nullptr) *names = join(names_of(certificate), ", ");
  }
  return verified;
}

/// Why a handshake failed, in words that name the remedy's side: trust, name, time, or no TLS at all.
std::string explain(SSL* ssl, const std::string& host, const std::string& names) {
  const auto verdict = SSL_get_verify_result(ssl);
  const auto code = ERR_peek_error();
  switch (verdict) {
    case X509_V_OK: break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      ERR_clear_error();
      return fmt::format("x509: certificate is valid for {}, not for {}", names, host);
    case X509_V_ERR_CERT_HAS_EXPIRED: ERR_clear_error(); return "x509: certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: ERR_clear_error(); return "x509: certificate is not yet valid";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: ERR_clear_error(); return "x509: certificate signed by unknown authority";
    default: ERR_clear_error(); return fmt::format("x509: {}", X509_verify_cert_error_string(verdict));
  }
  if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER || ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST) {
    ERR_clear_error();
    return "the peer does not speak TLS (plain HTTP?)";
  }
  return openssl_error();
}

/// TLS over any Stream: OpenSSL works on two memory BIOs, this class moves the bytes.
class TlsStream final : public Stream {
 public:
  TlsStream(StreamPtr transport, SslPtr ssl, std::string host)
      : transport_(std::move(transport)), ssl_(std::move(ssl)), host_(std::move(host)), writing_(1) {
    auto* in = BIO_new(BIO_s_mem());
    auto* out = BIO_new(BIO_s_mem());
    // An empty inbound BIO means "wait", not "end of file".
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl_.get(), in, out);
    SSL_set_app_data(ssl_.get(), &names_);
  }

  Task<void> handshake() {
    for (;;) {
      ERR_clear_error();
      const int done = SSL_do_handshake(ssl_.get());
      const int why = SSL_get_error(ssl_.get(), done);
      std::string explained;
      if (done != 1 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        explained = explain(ssl_.get(), host_, names_);
      co_await flush();  // An alert goes out too, so that the peer learns the reason.
      if (done == 1) co_return;
      if (!explained.empty()) throw Error(Code::kTls, fmt::format("TLS handshake with {}: {}", peer(), explained));
      if (!co_await fill()) {
        throw Error(Code::kUnavailable, fmt::format("TLS handshake with {}: the peer closed the connection", peer()));
      }
    }
  }

  Task<std::size_t> read_some(std::span<char> into) override {
    for (;;) {
      ERR_clear_error();
      const int size = SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min(into.size(), kChunk)));
      if (size > 0) co_return static_cast<std::size_t>(size);
      const int why = SSL_get_error(ssl_.get(), size);
      if (why == SSL_ERROR_ZERO_RETURN) co_return 0;
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        throw Error(Code::kTls, fmt::format("read from {}: {}", peer(), explain(ssl_.get(), host_, names_)));
      }
      if (BIO_ctrl_pending(SSL_get_wbio(ssl_.get())) > 0) co_await flush();  // key updates are answered
      if (!co_await fill()) {
        throw Error(Code::kUnavailable, fmt::format("read from {}: the connection was cut off", peer()));
      }
    }
  }

  Task<void> write_all(std::string_view data) override {
    while (!data.empty()) {
      const auto piece = data.substr(0, kChunk);
      ERR_clear_error();
      const int size = SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
      if (size <= 0)
        throw Error(Code::kTls, fmt::format("write to {}: {}", peer(), explain(ssl_.get(), host_, names_)));
      data.remove_prefix(static_cast<std::size_t>(size));
      co_await flush();
    }
  }

  Task<void> close() override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    try {
      co_await async::with_timeout(std::chrono::milliseconds(500), "say goodbye", flush());
    } catch (const Error&) {
      // The peer is gone already; so are we.
    }
    co_await transport_->close();
  }

  std::string peer() const override { return transport_->peer(); }
  SSL* ssl() const { return ssl_.get(); }

 private:
  /// Sends what OpenSSL has ready. Reads and writes both come here; the transport takes one write at a time.
  Task<void> flush() {
    auto* out = SSL_get_wbio(ssl_.get());
    if (BIO_ctrl_pending(out) == 0) co_return;
    const auto turn = co_await writing_.acquire();
    while (const auto pending = BIO_ctrl_pending(out)) {
      std::string bytes(pending, '\0');
      const int size = BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
      if (size <= 0) co_return;
      bytes.resize(static_cast<std::size_t>(size));
      co_await transport_->write_all(bytes);
    }
  }

  /// Fetches ciphertext; false at the end of the transport.
  Task<bool> fill() {
    if (incoming_.empty()) incoming_.resize(kChunk);
    const auto size = co_await transport_->read_some(incoming_);
    if (size == 0) co_return false;
    BIO_write(SSL_get_rbio(ssl_.get()), incoming_.data(), static_cast<int>(size));
    co_return true;
  }

  StreamPtr transport_;
  SslPtr ssl_;
  std::string host_;
  std::string names_;  ///< of the certificate that the peer showed, if it was refused
  std::string incoming_;
  async::Semaphore writing_;
};

SslContextPtr make_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) throw Error(Code::kTls, fmt::format("start TLS: {}", openssl_error()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
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

/// Adds every certificate of `pem` to the trust store; at least one is demanded.
void trust(SSL_CTX* context, std::string_view pem, std::string_view what) {
  const auto bio = read_bio(pem);
  int count = 0;
  for (;; ++count) {
    const X509Ptr authority(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!authority) break;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  }
  ERR_clear_error();
  if (count == 0) throw Error(Code::kTls, fmt::format("{} holds no PEM certificate", what));
}

bool is_address(const std::string& host) {
  boost::system::error_code no;
  boost::asio::ip::make_address(host, no);
  return !no;
}

}  // namespace

struct TlsClient::State {
  SslContextPtr context;
  TlsClientOptions options;
};

TlsClient::TlsClient(TlsClientOptions options) : state_(std::make_shared<State>()) {
  state_->context = make_context(TLS_client_method());
  auto* context = state_->context.get();
  if (options.verify == Verify::kYes) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_names);
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
  if (!state->options.server_name.empty()) host = state->options.server_name;
  SslPtr ssl(SSL_new(state->context.get()));
  SSL_set_connect_state(ssl.get());
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());
    SSL_set1_host(ssl.get(), host.c_str());
  }
  auto stream = std::make_unique<TlsStream>(std::move(transport), std::move(ssl), host);
  co_await stream->handshake();
  co_return stream;
}

struct TlsServer::State {
  SslContextPtr context;
};

TlsServer::TlsServer(TlsServerOptions options) : state_(std::make_shared<State>()) {
  state_->context = make_context(TLS_server_method());
  auto* context = state_->context.get();
  use_certificate(context, options.cert_pem, options.key_pem, "the server's");
  if (!options.client_ca_pem.empty()) {
    trust(context, options.client_ca_pem, "the client CA bundle");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const auto name = std::string("mtc");
    SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<unsigned>(name.size()));
  }
}

Task<TlsServer::Accepted> TlsServer::handshake(StreamPtr transport) const {
  const auto state = state_;
  SslPtr ssl(SSL_new(state->context.get()));
  SSL_set_accept_state(ssl.get());
  auto stream = std::make_unique<TlsStream>(std::move(transport), std::move(ssl), "");
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
