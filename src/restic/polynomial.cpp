#include "restic/polynomial.hpp"

#include <bit>

namespace mtc::restic {
namespace {

constexpr std::uint64_t kTop = 1ULL << kPolynomialDegree;

int degree(std::uint64_t polynomial) { return static_cast<int>(std::bit_width(polynomial)) - 1; }

std::uint64_t remainder(std::uint64_t of, std::uint64_t by) {
  while (degree(of) >= degree(by)) of ^= by << static_cast<unsigned>(degree(of) - degree(by));
  return of;
}

std::uint64_t common_divisor(std::uint64_t a, std::uint64_t b) {
  while (b != 0) {
    const auto rest = a == 0 ? 0 : remainder(a, b);
    a = b;
    b = rest;
  }
  return a;
}

/// a·b modulo `by`, which has degree kPolynomialDegree, as have a and b less.
std::uint64_t product(std::uint64_t a, std::uint64_t b, std::uint64_t by) {
  std::uint64_t sum = 0;
  for (; b != 0; b >>= 1U) {
    if ((b & 1U) != 0) sum ^= a;
    a <<= 1U;
    if ((a & kTop) != 0) a ^= by;
  }
  return sum;
}

}  // namespace

bool is_chunker_polynomial(std::uint64_t polynomial) {
  if (degree(polynomial) != kPolynomialDegree) return false;
  // The degree is prime, so f is irreducible exactly if x^(2^53) = x modulo f, and f shares no factor with x² - x.
  constexpr std::uint64_t kX = 2;
  auto power = kX;
  for (int i = 0; i < kPolynomialDegree; ++i) power = product(power, power, polynomial);
  return power == kX && common_divisor(polynomial, 0b110) == 1;
}

std::uint64_t random_polynomial(Rng& rng) {
  for (;;) {  // About one in 27 of those with a constant term is irreducible.
    const auto candidate = (rng.next() & (kTop - 1)) | kTop | 1U;
    if (is_chunker_polynomial(candidate)) return candidate;
  }
}

}  // namespace mtc::restic
