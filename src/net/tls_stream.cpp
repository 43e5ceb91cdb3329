#include "net/tls_stream.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"
#include "base/strings.hpp"

namespace mtc::net {
namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr auto kGoodbyeLimit = std::chrono::milliseconds(500);

std::string text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string address_of(const ASN1_OCTET_STRING* bytes) {
  const auto raw = text_of(bytes);
  boost::asio::ip::address_v4::bytes_type v4{};
  boost::asio::ip::address_v6::bytes_type v6{};
  if (raw.size() == v4.size()) {
    std::ranges::copy(raw, v4.begin());
    return boost::asio::ip::address_v4(v4).to_string();
  }
  if (raw.size() != v6.size()) return "an address of unknown kind";
  std::ranges::copy(raw, v6.begin());
  return boost::asio::ip::address_v6(v6).to_string();
}

/// The hosts that a certificate is for.
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> entries(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; entries && i < sk_GENERAL_NAME_num(entries.get()); ++i) {
    const auto* entry = sk_GENERAL_NAME_value(entries.get(), i);
    if (entry->type == GEN_DNS) names.push_back(text_of(entry->d.dNSName));
    if (entry->type == GEN_IPADD) names.push_back(address_of(entry->d.iPAddress));
  }
  return names;
}

}  // namespace

std::vector<std::string> subject_values(X509* certificate, int field) {
  std::vector<std::string> values;
  const auto* subject = X509_get_subject_name(certificate);
  for (int at = X509_NAME_get_index_by_NID(subject, field, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(subject, field, at)) {
    values.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  return values;
}

TlsStream::TlsStream(StreamPtr transport, SslPtr ssl, std::string host)
    : transport_(std::move(transport)), ssl_(std::move(ssl)), host_(std::move(host)), writing_(1) {
  auto* in = BIO_new(BIO_s_mem());
  auto* out = BIO_new(BIO_s_mem());
  // An empty inbound BIO means "wait", not "end of file".
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(ssl_.get(), in, out);
  SSL_set_app_data(ssl_.get(), this);
}

int TlsStream::note_refused(int verified, X509_STORE_CTX* store) {
  if (verified == 1) return verified;
  const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* stream = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  auto* certificate = X509_STORE_CTX_get_current_cert(store);
  if (stream != nullptr && certificate != nullptr) stream->refused_names_ = join(names_of(certificate), ", ");
  return verified;
}

/// Why the handshake failed, in words that name the remedy's side: trust, name, time, or no TLS at all.
std::string TlsStream::why_refused() const {
  // A client that was told not to verify has a verdict all the same: it is not the reason.
  const auto verdict =
      SSL_get_verify_mode(ssl_.get()) == SSL_VERIFY_NONE ? X509_V_OK : SSL_get_verify_result(ssl_.get());
  switch (verdict) {
    case X509_V_OK: break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      if (refused_names_.empty()) return fmt::format("x509: certificate names no host at all, so not {}", host_);
      return fmt::format("x509: certificate is valid for {}, not for {}", refused_names_, host_);
    case X509_V_ERR_CERT_HAS_EXPIRED: return "x509: certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "x509: certificate is not yet valid";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "x509: certificate signed by unknown authority";
    default: return fmt::format("x509: {}", X509_verify_cert_error_string(verdict));
  }
  const auto reason = ERR_GET_REASON(ERR_peek_error());
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
    return "the peer does not speak TLS (plain HTTP?)";
  }
  return openssl_error();
}

Task<void> TlsStream::handshake() {
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    const int why = SSL_get_error(ssl_.get(), done);
    std::string refusal;
    if (done != 1 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) refusal = why_refused();
    std::exception_ptr unsent;
    try {
      co_await flush();  // An alert goes out too, so that the peer learns the reason.
    } catch (const Error&) {
      unsent = std::current_exception();
    }
    if (!refusal.empty()) throw Error(Code::kTls, fmt::format("TLS handshake with {}: {}", peer(), refusal));
    if (unsent) std::rethrow_exception(unsent);
    if (done == 1) co_return;
    if (!co_await fill()) {
      throw Error(Code::kUnavailable, fmt::format("TLS handshake with {}: the peer closed the connection", peer()));
    }
  }
}

Task<std::size_t> TlsStream::read_some(std::span<char> into) {
  for (;;) {
    ERR_clear_error();
    const int size = SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min(into.size(), kChunk)));
    if (size > 0) co_return static_cast<std::size_t>(size);
    const int why = SSL_get_error(ssl_.get(), size);
    if (why == SSL_ERROR_ZERO_RETURN) co_return 0;
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      throw Error(Code::kTls, fmt::format("read from {}: {}", peer(), openssl_error()));
    }
    co_await flush();  // Key updates are answered.
    if (!co_await fill()) {
      throw Error(Code::kUnavailable, fmt::format("read from {}: the connection was cut off", peer()));
    }
  }
}

Task<void> TlsStream::write_all(std::string_view data) {
  while (!data.empty()) {
    const auto piece = data.substr(0, kChunk);
    ERR_clear_error();
    const int size = SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
    if (size <= 0) throw Error(Code::kTls, fmt::format("write to {}: {}", peer(), openssl_error()));
    data.remove_prefix(static_cast<std::size_t>(size));
    co_await flush();
  }
}

Task<void> TlsStream::close() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  std::exception_ptr cancelled;
  try {
    co_await async::with_timeout(kGoodbyeLimit, "say goodbye", flush());
  } catch (const Error&) {
    // The peer is gone already; so are we.
  } catch (...) {  // A cancelled task closes all the same, before it goes on unwinding.
    cancelled = std::current_exception();
  }
  co_await transport_->close();
  if (cancelled) std::rethrow_exception(cancelled);
}

bool TlsStream::quiet() const { return SSL_has_pending(ssl_.get()) == 0 && transport_->quiet(); }

Task<void> TlsStream::flush() {
  auto* out = SSL_get_wbio(ssl_.get());
  if (BIO_ctrl_pending(out) == 0) co_return;
  const auto turn = co_await writing_.acquire();
  while (const auto pending = BIO_ctrl_pending(out)) {
    outgoing_.resize(pending);
    if (BIO_read(out, outgoing_.data(), static_cast<int>(pending)) <= 0) co_return;
    co_await transport_->write_all(outgoing_);
  }
}

Task<bool> TlsStream::fill() {
  if (incoming_.empty()) incoming_.resize(kChunk);
  const auto size = co_await transport_->read_some(incoming_);
  if (size == 0) co_return false;
  BIO_write(SSL_get_rbio(ssl_.get()), incoming_.data(), static_cast<int>(size));
  co_return true;
}

}  // namespace mtc::net
