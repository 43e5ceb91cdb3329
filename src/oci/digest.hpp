#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.hpp"

namespace mtc::oci {

/// The name of some bytes: "sha256:<64 hex digits>" or "sha512:<128>", lower case.
class Digest {
 public:
  /// nullopt for what is no digest, or of an algorithm that is not known here.
  static std::optional<Digest> parse(std::string_view text);
  /// SHA-256 of `bytes`.
  static Digest of(std::string_view bytes);

  HashKind kind() const;
  const std::string& str() const { return text_; }
  /// Whether it names `bytes`.
  bool names(std::string_view bytes) const;
  std::strong_ordering operator<=>(const Digest&) const = default;

 private:
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Holds a stream against its digest.
class DigestVerifier {
 public:
  explicit DigestVerifier(const Digest& expected) : expected_(expected), hasher_(expected.kind()) {}
  void update(std::string_view bytes) { hasher_.update(bytes); }
  /// Whether everything so far is what the digest names; call once.
  bool matches();

 private:
  Digest expected_;
  Hasher hasher_;
};

}  // namespace mtc::oci
