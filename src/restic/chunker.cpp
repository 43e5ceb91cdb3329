#include "restic/chunker.hpp"

#include <algorithm>
#include <bit>

#include "base/error.hpp"

namespace mtc::restic {
namespace {

constexpr std::uint64_t kSplit = (1U << 20U) - 1;
constexpr unsigned kLargestDegree = 53;
constexpr unsigned kSmallestDegree = 16;
/// Fingerprints that are computed at once, each of a stripe of its own: one alone waits for its own last step.
constexpr std::size_t kLanes = 6;
constexpr std::size_t kStripe = 4096;

unsigned degree(std::uint64_t polynomial) { return static_cast<unsigned>(std::bit_width(polynomial)) - 1; }

std::uint64_t remainder(std::uint64_t value, std::uint64_t polynomial) {
  const auto limit = degree(polynomial);
  while (value != 0 && degree(value) >= limit) value ^= polynomial << (degree(value) - limit);
  return value;
}

}  // namespace

Chunker::Chunker(std::uint64_t polynomial) {
  if (polynomial == 0 || degree(polynomial) > kLargestDegree || degree(polynomial) < kSmallestDegree) {
    throw Error(Code::kCorrupt, "the repository's chunker polynomial is of no degree that restic uses");
  }
  const auto top = degree(polynomial);
  shift_ = top - 8;
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    auto weight = remainder(byte, polynomial);
    for (std::size_t i = 0; i + 1 < kWindow; ++i) weight = remainder(weight << 8U, polynomial);
    out_[byte] = remainder(weight << 8U, polynomial);
    mod_[byte] = remainder(byte << top, polynomial) | (byte << top);
  }
}

std::uint64_t Chunker::append(std::uint64_t digest, std::uint8_t byte) const {
  const auto over = mod_[static_cast<std::uint8_t>(digest >> shift_)];
  return ((digest << 8U) | byte) ^ over;
}

/// Over kWindow bytes.
std::uint64_t Chunker::fingerprint(const std::uint8_t* window) const {
  std::uint64_t digest = 0;
  for (std::size_t i = 0; i < kWindow; ++i) digest = append(digest, window[i]);
  return digest;
}

std::size_t Chunker::first(std::string_view content) const {
  if (content.size() <= kMin) return content.size();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(content.data());
  const auto end = std::min(content.size(), kMax);
  if ((fingerprint(bytes + kMin - kWindow) & kSplit) == 0) return kMin;
  auto at = kMin;  // the fingerprints up to here are known not to be zero
  for (; end - at >= kLanes * kStripe; at += kLanes * kStripe) {
    std::array<std::uint64_t, kLanes> digests{};
    std::array<std::size_t, kLanes> found{};
    found.fill(kStripe);
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      digests[lane] = fingerprint(bytes + at + lane * kStripe - kWindow);
    for (std::size_t i = 0; i < kStripe; ++i) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const auto* byte = bytes + at + lane * kStripe + i;
        digests[lane] = append(digests[lane], *byte) ^ out_[*(byte - kWindow)];
        if ((digests[lane] & kSplit) == 0) [[unlikely]]
          found[lane] = std::min(found[lane], i);
      }
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (found[lane] < kStripe) return at + lane * kStripe + found[lane] + 1;
    }
  }
  auto digest = fingerprint(bytes + at - kWindow);
  for (; at < end; ++at) {
    digest = append(digest, bytes[at]) ^ out_[bytes[at - kWindow]];
    if ((digest & kSplit) == 0) return at + 1;
  }
  return end;
}

}  // namespace mtc::restic
