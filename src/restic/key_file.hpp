#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "restic/crypto.hpp"

namespace mtc::restic {

/// How a password becomes a key (RFC 7914).
struct Scrypt {
  std::uint64_t n = 1U << 13U;  ///< a power of two
  std::uint64_t r = 8;
  std::uint64_t p = 1;
  std::string salt;
};

/// A file in keys/: the repository's key, encrypted with a password. It is JSON in plain text.
struct KeyFile {
  Scrypt scrypt;
  std::string sealed;  ///< the JSON of the key, encrypted with the key that the password gives
};

/// Throws Error(kCorrupt), also for parameters that would take more than 256 MiB or some seconds: whoever can write to
/// the store chooses them.
KeyFile decode_key_file(const std::string& text);
/// The repository's key; nullopt for another password. Takes as long as the parameters ask for: for a pool. Throws
/// Error(kCorrupt) if what the password opens is no key.
std::optional<Key> open_key_file(const KeyFile& file, const Secret& password);
/// A new key file for `key`. Its derivation is cheap (10 ms, 8 MiB): our passwords are 256 random bits, which nobody
/// guesses at any speed; it would be too cheap for one that a person made up.
std::string make_key_file(const Key& key, const Secret& password, Time now);

}  // namespace mtc::restic
