#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace mtc::net {

/// Owning pointers to OpenSSL's objects.
template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using SslPtr = std::unique_ptr<SSL, Freed<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

/// The oldest queued OpenSSL error in words; empties the queue.
std::string openssl_error();
/// A BIO that reads `text`, which must outlive it.
BioPtr read_bio(std::string_view text);
/// Throws Error(kTls) saying that `what` cannot be read.
X509Ptr parse_certificate(std::string_view pem, std::string_view what);
KeyPtr parse_key(std::string_view pem, std::string_view what);

}  // namespace mtc::net
