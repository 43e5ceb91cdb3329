#pragma once

#include <cstdint>

#include "base/rng.hpp"

namespace mtc::restic {

/// The degree of every chunker's polynomial over GF(2); bit n is the coefficient of xⁿ.
constexpr int kPolynomialDegree = 53;

/// Whether it has that degree and no factors (Rabin's test).
bool is_chunker_polynomial(std::uint64_t polynomial);

/// A random one: another repository cuts the same file elsewhere, so sizes of chunks tell a stranger nothing about
/// known content.
std::uint64_t random_polynomial(Rng& rng);

}  // namespace mtc::restic
