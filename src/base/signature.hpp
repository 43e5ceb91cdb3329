#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace mtc {

/// Ed25519 (RFC 8032), in PEM: the private half as PKCS #8, the public one as SubjectPublicKeyInfo (RFC 8410).
struct SigningKey {
  Secret private_pem;
  std::string public_pem;
};
SigningKey make_signing_key();

/// A signature of 64 bytes. Throws Error(kInvalid) if the key is none.
std::string sign(const Secret& private_pem, std::string_view message);
/// False for whatever the key's owner has not signed. Throws Error(kInvalid) if the key is none.
bool is_signed(const std::string& public_pem, std::string_view message, std::string_view signature);
/// What tells a public key from others: SHA-256 of its DER form, in hex. Throws Error(kInvalid) if the key is none.
std::string key_id(const std::string& public_pem);

}  // namespace mtc
