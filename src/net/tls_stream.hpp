#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/scope.hpp"
#include "net/openssl.hpp"
#include "net/stream.hpp"

namespace mtc::net {

/// TLS over any Stream, as client or server according to the state of `ssl`: OpenSSL works on two memory BIOs, this
/// class moves the bytes.
class TlsStream final : public Stream {
 public:
  /// `host` is whom a client expects, for messages.
  TlsStream(StreamPtr transport, SslPtr ssl, std::string host);

  /// Throws Error(kTls) with the cause in words, Error(kUnavailable) if the peer ends the connection.
  Task<void> handshake();

  Task<std::size_t> read_some(std::span<char> into) override;
  Task<void> write_all(std::string_view data) override;
  Task<void> close() override;
  bool quiet() const override;
  std::string peer() const override { return transport_->peer(); }

  SSL* ssl() const { return ssl_.get(); }

  /// The verify callback (SSL_CTX_set_verify) of contexts whose connections explain refusals: keeps the names of a
  /// certificate that is refused, because OpenSSL drops the certificate with the handshake.
  static int note_refused(int verified, X509_STORE_CTX* store);

 private:
  /// Sends what OpenSSL has ready. Reads and writes both come here; the transport takes one write at a time.
  Task<void> flush();
  /// Fetches ciphertext; false at the end of the transport.
  Task<bool> fill();
  std::string why_refused() const;

  StreamPtr transport_;
  SslPtr ssl_;
  std::string host_;
  std::string refused_names_;  ///< of the certificate that the peer showed, if it was refused
  std::string incoming_;
  std::string outgoing_;
  async::Semaphore writing_;
};

/// The values of a field of a certificate's subject, such as the organizations of a client.
std::vector<std::string> subject_values(X509* certificate, int field);

}  // namespace mtc::net
