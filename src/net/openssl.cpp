#include "net/openssl.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/error.hpp"

namespace mtc::net {

std::string openssl_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  const auto* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error without a name";
}

BioPtr read_bio(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

X509Ptr parse_certificate(std::string_view pem, std::string_view what) {
  const auto bio = read_bio(pem);
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) throw Error(Code::kTls, fmt::format("{} is not a PEM certificate: {}", what, openssl_error()));
  return certificate;
}

KeyPtr parse_key(std::string_view pem, std::string_view what) {
  const auto bio = read_bio(pem);
  // An empty passphrase instead of a prompt: nobody sits at a controller's terminal.
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, const_cast<char*>("")));
  if (!key) throw Error(Code::kTls, fmt::format("{} is not a PEM private key: {}", what, openssl_error()));
  return key;
}

}  // namespace mtc::net
