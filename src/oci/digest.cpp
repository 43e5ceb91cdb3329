#include "oci/digest.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace mtc::oci {
namespace {

constexpr std::string_view kSha256 = "sha256:";
constexpr std::string_view kSha512 = "sha512:";

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string hash_of(HashKind kind, std::string_view bytes) {
  return hex(kind == HashKind::kSha512 ? sha512(bytes) : sha256(bytes));
}

}  // namespace

std::optional<Digest> Digest::parse(std::string_view text) {
  const bool known = (text.starts_with(kSha256) && is_hex(text.substr(kSha256.size()), 64)) ||
                     (text.starts_with(kSha512) && is_hex(text.substr(kSha512.size()), 128));
  if (!known) return std::nullopt;
  return Digest(std::string(text));
}

Digest Digest::of(std::string_view bytes) { return Digest(std::string(kSha256) + hash_of(HashKind::kSha256, bytes)); }

HashKind Digest::kind() const { return text_.starts_with(kSha512) ? HashKind::kSha512 : HashKind::kSha256; }

bool Digest::names(std::string_view bytes) const { return text_.substr(kSha256.size()) == hash_of(kind(), bytes); }

bool DigestVerifier::matches() { return expected_.str().substr(kSha256.size()) == hex(hasher_.finish()); }

}  // namespace mtc::oci
