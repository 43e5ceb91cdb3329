#include "base/hash.hpp"

#include <array>
#include <utility>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.hpp"

namespace mtc {
namespace {

/// Looked up once: OpenSSL's own constants look their code up at each use.
const EVP_MD* sha256_kind() {
  static const EVP_MD* const kKind = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kKind;
}

const EVP_MD* sha512_kind() {
  static const EVP_MD* const kKind = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  return kKind;
}

const EVP_MD* of(HashKind kind) { return kind == HashKind::kSha512 ? sha512_kind() : sha256_kind(); }

std::string digest(const EVP_MD* kind, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr) != 1) {
    throw Error(Code::kInternal, "OpenSSL cannot compute a digest");
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace

std::string sha256(std::string_view bytes) { return digest(sha256_kind(), bytes); }
std::string sha512(std::string_view bytes) { return digest(sha512_kind(), bytes); }
std::string md5(std::string_view bytes) { return digest(EVP_md5(), bytes); }

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
           bytes.size(), out.data(), &size) == nullptr) {
    throw Error(Code::kInternal, "OpenSSL cannot compute an HMAC");
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

struct Hasher::State {
  explicit State(HashKind kind) : context(EVP_MD_CTX_new()) {
    if (context == nullptr || EVP_DigestInit_ex(context, of(kind), nullptr) != 1) {
      throw Error(Code::kInternal, "OpenSSL cannot start a digest");
    }
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  EVP_MD_CTX* context;
};

Hasher::Hasher(HashKind kind) : state_(std::make_unique<State>(kind)) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::string_view bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::string Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  EVP_DigestFinal_ex(state_->context, out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace mtc
