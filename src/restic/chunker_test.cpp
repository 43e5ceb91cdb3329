#include "restic/chunker.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "restic/testing/content.hpp"

namespace mtc::restic {
namespace {

using testing::noise;

constexpr std::uint64_t kPolynomial = 0x25154ab7f26881;  // of a repository that restic 0.14 made

std::vector<std::size_t> cuts(const Chunker& chunker, std::string_view content) {
  std::vector<std::size_t> sizes;
  while (!content.empty()) {
    sizes.push_back(chunker.first(content));
    content.remove_prefix(sizes.back());
  }
  return sizes;
}

std::uint64_t shifted(std::uint64_t digest, std::uint8_t byte) {
  constexpr std::uint64_t kTop = 1ULL << 53U;
  for (int bit = 7; bit >= 0; --bit) {
    digest = (digest << 1U) | ((static_cast<std::uint64_t>(byte) >> static_cast<unsigned>(bit)) & 1U);
    if ((digest & kTop) != 0) digest ^= kPolynomial;
  }
  return digest;
}

/// By the definition, bit by bit: the fingerprint of a window is the window as a polynomial, modulo the repository's.
std::size_t slow_first(std::string_view content) {
  for (auto end = Chunker::kMin; end < std::min(content.size(), Chunker::kMax); ++end) {
    std::uint64_t digest = 0;
    for (const char c : content.substr(end - 64, 64)) digest = shifted(digest, static_cast<std::uint8_t>(c));
    if ((digest & 0xFFFFF) == 0) return end;
  }
  return std::min(content.size(), Chunker::kMax);
}

TEST(Chunker, CutsWhereTheDefinitionSays) {
  const Chunker chunker(kPolynomial);
  const auto content = noise(2'500'000, 3);
  EXPECT_EQ(chunker.first(content), slow_first(content));
}

TEST(Chunker, ContentBehindACutIsCutAlike) {
  const Chunker chunker(kPolynomial);
  const auto content = noise(12'000'000, 4);
  const auto sizes = cuts(chunker, content);
  ASSERT_GT(sizes.size(), 3U);
  auto moved = "some bytes in front" + content;
  const auto others = cuts(chunker, moved);
  EXPECT_EQ(others[0], sizes[0] + 19) << "one blob has changed, and the rest is known";
  EXPECT_TRUE(std::equal(sizes.begin() + 1, sizes.end(), others.begin() + 1, others.end()));
}

TEST(Chunker, ShortContentIsOnePiece) {
  const Chunker chunker(kPolynomial);
  EXPECT_EQ(chunker.first("x"), 1U);
  EXPECT_EQ(chunker.first(std::string(Chunker::kMin, 'x')), Chunker::kMin);
}

TEST(Chunker, ZerosAreCutAsSoonAsMayBe) {
  const Chunker chunker(kPolynomial);
  EXPECT_EQ(chunker.first(std::string(Chunker::kMax, '\0')), Chunker::kMin);
}

TEST(Chunker, NoPieceIsLongerThanTheLongest) {
  const Chunker chunker(kPolynomial);
  EXPECT_EQ(chunker.first(std::string(Chunker::kMax + 100, 'a')), Chunker::kMax);
}

TEST(Chunker, RefusesAPolynomialOfAnotherDegree) {
  EXPECT_THROW(Chunker(0), Error);
  EXPECT_THROW(Chunker(0xFF), Error);
  EXPECT_THROW(Chunker(1ULL << 60U), Error);
}

}  // namespace
}  // namespace mtc::restic
