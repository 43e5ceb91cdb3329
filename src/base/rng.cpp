#include "base/rng.hpp"

#include <array>
#include <limits>
#include <string_view>

#include <openssl/rand.h>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace mtc {
namespace {

class SystemRng final : public Rng {
 public:
  std::uint64_t next() override {
    std::uint64_t value = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value) != 1) {
      throw Error(Code::kInternal, "the system gives no random bytes");
    }
    return value;
  }
};

}  // namespace

std::uint64_t Rng::below(std::uint64_t bound) {
  // The part of the range that does not divide evenly is drawn again, so that no value is likelier than another.
  const auto limit = std::numeric_limits<std::uint64_t>::max() - std::numeric_limits<std::uint64_t>::max() % bound;
  for (;;) {
    const auto value = next();
    if (value < limit) return value % bound;
  }
}

Rng& system_rng() {
  static SystemRng rng;
  return rng;
}

// SplitMix64 (Steele, Lea, Flood 2014): good enough to vary tests, and one line to port.
std::uint64_t SeededRng::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

std::string uuid4(Rng& rng) {
  std::array<char, 16> bytes{};
  for (std::size_t half = 0; half < 2; ++half) {
    auto value = rng.next();
    for (std::size_t i = 0; i < 8; ++i, value >>= 8) bytes[half * 8 + i] = static_cast<char>(value & 0xFF);
  }
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);  // version 4
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);  // variant of RFC 4122
  const auto text = hex({bytes.data(), bytes.size()});
  return text.substr(0, 8) + '-' + text.substr(8, 4) + '-' + text.substr(12, 4) + '-' + text.substr(16, 4) + '-' +
         text.substr(20);
}

std::string name_suffix(Rng& rng, std::size_t length) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  while (out.size() < length) out += kAlphabet[rng.below(kAlphabet.size())];
  return out;
}

}  // namespace mtc
