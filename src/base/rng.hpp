#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace mtc {

/// The only source of randomness. Code takes an `Rng&`, so that tests can repeat a run. Not thread-safe.
class Rng {
 public:
  virtual ~Rng() = default;
  virtual std::uint64_t next() = 0;
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound);
};

/// Cryptographically strong, from the operating system; may be used from any thread.
Rng& system_rng();

/// A deterministic generator for tests and replays.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

/// RFC 4122 version 4: "6a29b91f-9aeb-4384-9c6d-080e1dee9d6e".
std::string uuid4(Rng& rng);
/// `length` characters of the alphabet that Kubernetes uses for generateName (lower-case consonants without l, and
/// 2456789).
std::string name_suffix(Rng& rng, std::size_t length = 5);

}  // namespace mtc
