#include "restic/crypto.hpp"

#include <cstring>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/error.hpp"
#include "base/rng.hpp"

namespace mtc::restic {
namespace {

[[noreturn]] void broken() { throw Error(Code::kInternal, "OpenSSL cannot encrypt or authenticate"); }

/// Looking an algorithm up takes longer than encrypting a small blob, so it is done once; never freed, since OpenSSL
/// itself ends before the last static object does.
struct Algorithms {
  EVP_CIPHER* stream = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
  EVP_CIPHER* block = EVP_CIPHER_fetch(nullptr, "AES-128-ECB", nullptr);
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "POLY1305", nullptr);
};

const Algorithms& algorithms() {
  static const Algorithms kAlgorithms;
  return kAlgorithms;
}

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

/// One a thread.
struct Contexts {
  std::unique_ptr<EVP_CIPHER_CTX, Free> stream{EVP_CIPHER_CTX_new()};
  std::unique_ptr<EVP_CIPHER_CTX, Free> block{EVP_CIPHER_CTX_new()};
  std::unique_ptr<EVP_MAC_CTX, Free> mac{EVP_MAC_CTX_new(algorithms().mac)};
};

Contexts& contexts() {
  thread_local Contexts mine;
  if (!mine.stream || !mine.block || !mine.mac) broken();
  return mine;
}

const unsigned char* raw(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* raw(char* bytes) { return reinterpret_cast<unsigned char*>(bytes); }

/// Counter mode: encrypting and decrypting are the same.
void apply_stream(const Key& key, std::string_view nonce, std::string_view in, char* out) {
  auto* context = contexts().stream.get();
  int written = 0;
  if (EVP_EncryptInit_ex2(context, algorithms().stream, key.encrypt.data(), raw(nonce), nullptr) != 1 ||
      EVP_EncryptUpdate(context, raw(out), &written, raw(in), static_cast<int>(in.size())) != 1 ||
      static_cast<std::size_t>(written) != in.size()) {
    broken();
  }
}

void authenticate(const Key& key, std::string_view nonce, std::string_view message, char* out) {
  // OpenSSL's Poly1305 takes r (and masks it) and the pad, which Poly1305-AES makes of the nonce.
  std::array<unsigned char, 32> one_time{};
  std::memcpy(one_time.data(), key.mac_r.data(), key.mac_r.size());
  auto* block = contexts().block.get();
  int written = 0;
  std::size_t size = 0;
  auto* mac = contexts().mac.get();
  if (EVP_EncryptInit_ex2(block, algorithms().block, key.mac_k.data(), nullptr, nullptr) != 1 ||
      EVP_CIPHER_CTX_set_padding(block, 0) != 1 ||
      EVP_EncryptUpdate(block, one_time.data() + 16, &written, raw(nonce), kNonceSize) != 1 || written != 16 ||
      EVP_MAC_init(mac, one_time.data(), one_time.size(), nullptr) != 1 ||
      EVP_MAC_update(mac, raw(message), message.size()) != 1 || EVP_MAC_final(mac, raw(out), &size, kMacSize) != 1 ||
      size != kMacSize) {
    broken();
  }
}

template <std::size_t N>
void fill(std::array<std::uint8_t, N>& bytes) {
  static_assert(N % sizeof(std::uint64_t) == 0);
  for (std::size_t at = 0; at < N; at += sizeof(std::uint64_t)) {
    const auto random = system_rng().next();
    std::memcpy(bytes.data() + at, &random, sizeof random);
  }
}

}  // namespace

Key make_key() {
  Key key;
  fill(key.encrypt);
  fill(key.mac_k);
  fill(key.mac_r);
  return key;
}

std::string encrypt(const Key& key, std::string_view plain) {
  if (plain.size() > kMaxPlain) throw Error(Code::kInvalid, "too much to encrypt at once");
  std::array<std::uint8_t, kNonceSize> nonce{};
  fill(nonce);
  // Not the size that is handed in: libstdc++ 12 hands in the capacity.
  const auto size = plain.size() + kSealOverhead;
  std::string sealed;
  sealed.resize_and_overwrite(size, [&](char* out, std::size_t) {
    std::memcpy(out, nonce.data(), kNonceSize);
    const std::string_view written(out, size);
    apply_stream(key, written.substr(0, kNonceSize), plain, out + kNonceSize);
    authenticate(key, written.substr(0, kNonceSize), written.substr(kNonceSize, plain.size()), out + size - kMacSize);
    return size;
  });
  return sealed;
}

std::optional<std::string> decrypt(const Key& key, std::string_view sealed) {
  if (sealed.size() < kSealOverhead || sealed.size() > kMaxPlain + kSealOverhead) return std::nullopt;
  const auto nonce = sealed.substr(0, kNonceSize);
  const auto hidden = sealed.substr(kNonceSize, sealed.size() - kSealOverhead);
  const auto claimed = sealed.substr(sealed.size() - kMacSize);
  std::array<char, kMacSize> mac{};
  authenticate(key, nonce, hidden, mac.data());
  if (CRYPTO_memcmp(mac.data(), raw(claimed), kMacSize) != 0) return std::nullopt;
  std::string plain;
  plain.resize_and_overwrite(hidden.size(), [&](char* out, std::size_t) {
    apply_stream(key, nonce, hidden, out);
    return hidden.size();
  });
  return plain;
}

std::string poly1305_aes(const Key& key, std::string_view nonce, std::string_view message) {
  std::string mac(kMacSize, '\0');
  authenticate(key, nonce, message, mac.data());
  return mac;
}

}  // namespace mtc::restic
