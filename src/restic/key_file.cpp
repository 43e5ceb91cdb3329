#include "restic/key_file.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kSaltSize = 64;
constexpr std::uint64_t kMaxMemory = 256ULL << 20U;
/// N·r·p: restic's own choice of half a second is about 2^18 of it.
constexpr std::uint64_t kMaxWork = 1ULL << 23U;
constexpr std::size_t kMaxText = 64 * 1024;

[[noreturn]] void corrupt(std::string_view what) { throw Error(Code::kCorrupt, std::string(what)); }

std::uint64_t number_at(const Json& json, std::string_view name) {
  const auto number = int_at(json, name).value_or(0);
  if (number < 1) corrupt(fmt::format("its {} is no positive number", name));
  return static_cast<std::uint64_t>(number);
}

std::string bytes_at(const Json& json, std::string_view path) {
  auto bytes = base64_decode(string_at(json, path));
  if (!bytes) corrupt(fmt::format("its {} is not base64", path));
  return std::move(*bytes);
}

void check(const Scrypt& scrypt) {
  const auto fits = [](std::uint64_t value, std::uint64_t limit) { return value <= limit; };
  if (!std::has_single_bit(scrypt.n) || scrypt.n < 2 || scrypt.salt.size() < 8 || scrypt.salt.size() > 1024) {
    corrupt("its parameters are none of scrypt");
  }
  // Each is bounded before they are multiplied.
  if (!fits(scrypt.n, kMaxWork) || !fits(scrypt.r, 1024) || !fits(scrypt.p, 1024) ||
      !fits(128 * scrypt.n * scrypt.r, kMaxMemory) || !fits(scrypt.n * scrypt.r * scrypt.p, kMaxWork)) {
    corrupt("its parameters ask for more time or memory than a key should take");
  }
}

Key derive(const Scrypt& scrypt, const Secret& password) {
  std::array<unsigned char, 64> out{};
  const auto& text = password.reveal();
  // OpenSSL counts a little more than the 128·N·r of the definition.
  if (EVP_PBE_scrypt(text.data(), text.size(), reinterpret_cast<const unsigned char*>(scrypt.salt.data()),
                     scrypt.salt.size(), scrypt.n, scrypt.r, scrypt.p, 2 * kMaxMemory, out.data(), out.size()) != 1) {
    corrupt("its parameters are none of scrypt");
  }
  Key key;
  std::memcpy(key.encrypt.data(), out.data(), 32);
  std::memcpy(key.mac_k.data(), out.data() + 32, 16);
  std::memcpy(key.mac_r.data(), out.data() + 48, 16);
  return key;
}

template <std::size_t N>
void take(std::array<std::uint8_t, N>& into, const Json& json, std::string_view path) {
  const auto bytes = bytes_at(json, path);
  if (bytes.size() != N) corrupt(fmt::format("the {} in it has {} bytes, not {}", path, bytes.size(), N));
  std::memcpy(into.data(), bytes.data(), N);
}

template <std::size_t N>
std::string base64(const std::array<std::uint8_t, N>& bytes) {
  return base64_encode({reinterpret_cast<const char*>(bytes.data()), N});
}

std::string random_salt() {
  std::string salt;
  while (salt.size() < kSaltSize) {
    const auto random = system_rng().next();
    salt.append(reinterpret_cast<const char*>(&random), sizeof random);
  }
  return salt;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

KeyFile decode_key_file(const std::string& text) {
  const auto json = parse_json(text, {.max_depth = 8, .max_bytes = kMaxText});
  if (string_at(json, "kdf") != "scrypt") corrupt("its key is not derived by scrypt");
  KeyFile file;
  file.scrypt.n = number_at(json, "N");
  file.scrypt.r = number_at(json, "r");
  file.scrypt.p = number_at(json, "p");
  file.scrypt.salt = bytes_at(json, "salt");
  file.sealed = bytes_at(json, "data");
  check(file.scrypt);
  return file;
}

std::optional<Key> open_key_file(const KeyFile& file, const Secret& password) {
  const auto text = decrypt(derive(file.scrypt, password), file.sealed);
  if (!text) return std::nullopt;
  const auto json = parse_json(*text, {.max_depth = 8, .max_bytes = kMaxText});
  Key key;
  take(key.encrypt, json, "encrypt");
  take(key.mac_k, json, "mac.k");
  take(key.mac_r, json, "mac.r");
  return key;
}

std::string make_key_file(const Key& key, const Secret& password, Time now) {
  const Scrypt scrypt{.salt = random_salt()};
  Json inner;
  set_at(inner, "encrypt", base64(key.encrypt));
  set_at(inner, "mac.k", base64(key.mac_k));
  set_at(inner, "mac.r", base64(key.mac_r));
  Json outer;
  set_at(outer, "created", rfc3339_micro(now));
  set_at(outer, "username", "mtc");
  set_at(outer, "hostname", host_name());
  set_at(outer, "kdf", "scrypt");
  set_at(outer, "N", scrypt.n);
  set_at(outer, "r", scrypt.r);
  set_at(outer, "p", scrypt.p);
  set_at(outer, "salt", base64_encode(scrypt.salt));
  set_at(outer, "data", base64_encode(encrypt(derive(scrypt, password), dump(inner))));
  return dump(outer);
}

}  // namespace mtc::restic
