#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mtc::restic {

/// What a repository, or a key file, is encrypted with: AES-256 in counter mode, and Poly1305-AES over the ciphertext
/// (cr.yp.to/mac/poly1305-20050329.pdf).
struct Key {
  std::array<std::uint8_t, 32> encrypt{};
  std::array<std::uint8_t, 16> mac_k{};  ///< the AES-128 key that makes a one-time pad of a nonce
  std::array<std::uint8_t, 16> mac_r{};  ///< the point; its 22 bits that must be clear are masked when it is used

  bool operator==(const Key&) const = default;
};

constexpr std::size_t kNonceSize = 16;
constexpr std::size_t kMacSize = 16;
/// What encryption adds.
constexpr std::size_t kSealOverhead = kNonceSize + kMacSize;
/// What is encrypted at once; OpenSSL counts in int.
constexpr std::size_t kMaxPlain = 1ULL << 30U;

/// Random.
Key make_key();

/// nonce | ciphertext | MAC, with a new random nonce. Throws Error(kInvalid) beyond kMaxPlain. Any thread.
std::string encrypt(const Key& key, std::string_view plain);
/// nullopt if it was not encrypted with `key`, or was changed since. Any thread.
std::optional<std::string> decrypt(const Key& key, std::string_view sealed);

/// The 16 bytes of Poly1305-AES.
std::string poly1305_aes(const Key& key, std::string_view nonce, std::string_view message);

}  // namespace mtc::restic
