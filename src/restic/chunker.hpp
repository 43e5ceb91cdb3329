#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mtc::restic {

/// Cuts content into blobs where restic cuts it, so that the same bytes are the same blobs: where the low 20 bits of a
/// Rabin fingerprint over the last 64 bytes are zero (github.com/restic/chunker). Any thread.
class Chunker {
 public:
  static constexpr std::size_t kMin = 512UZ * 1024;
  static constexpr std::size_t kMax = 8UZ * 1024 * 1024;

  /// `polynomial` is the repository's; its degree is at most 53 and at least 16, else Error(kCorrupt).
  explicit Chunker(std::uint64_t polynomial);

  /// The size of the first blob of `content`, which begins at the file or behind a cut. If that is all of it, and it
  /// is neither kMax bytes nor all that is left of the file, more must be known to say where the blob ends.
  std::size_t first(std::string_view content) const;

 private:
  static constexpr std::size_t kWindow = 64;

  std::uint64_t append(std::uint64_t digest, std::uint8_t byte) const;
  std::uint64_t fingerprint(const std::uint8_t* window) const;

  unsigned shift_ = 0;
  std::array<std::uint64_t, 256> out_{};  ///< what a byte weighs when it has left the window
  std::array<std::uint64_t, 256> mod_{};  ///< reduces the 8 bits above the degree, and cancels them
};

}  // namespace mtc::restic
