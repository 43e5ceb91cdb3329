#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace mtc {

/// Raw digests (32, 64, 32 and 16 bytes); hex() of base/encoding.hpp makes them readable.
std::string sha256(std::string_view bytes);
std::string sha512(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string md5(std::string_view bytes);

enum class HashKind { kSha256, kSha512 };

/// The digest of a stream.
class Hasher {
 public:
  explicit Hasher(HashKind kind);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(std::string_view bytes);
  /// The raw digest; call once.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of a stream.
class Sha256 : public Hasher {
 public:
  Sha256() : Hasher(HashKind::kSha256) {}
};

}  // namespace mtc
