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

struct Sha256::State {
  State() : context(EVP_MD_CTX_new()) {
    if (context == nullptr || EVP_DigestInit_ex(context, sha256_kind(), nullptr) != 1) {
      throw Error(Code::kInternal, "OpenSSL cannot start a digest");
    }
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  EVP_MD_CTX* context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  EVP_DigestFinal_ex(state_->context, out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace mtc
