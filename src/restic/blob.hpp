#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "restic/id.hpp"

namespace mtc::restic {

/// What a blob holds: a piece of a file, or a directory's JSON. The numbers are those of pack headers.
enum class BlobType : std::uint8_t { kData = 0, kTree = 1 };

/// "data" or "tree", as index files write it.
std::string_view to_string(BlobType type);

/// The same bytes may be stored once as data and once as a tree.
struct BlobKey {
  BlobType type = BlobType::kData;
  Id id;
  auto operator<=>(const BlobKey&) const = default;
};

/// A blob as a pack holds it.
struct Sealed {
  BlobType type = BlobType::kData;
  Id id;                         ///< of the plaintext
  std::string bytes;             ///< nonce, ciphertext, MAC
  std::uint32_t plain_size = 0;  ///< of the plaintext, before compression
  bool compressed = false;
};

/// Where a blob lies.
struct Location {
  Id pack;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;      ///< of the sealed bytes
  std::uint32_t plain_size = 0;  ///< of the plaintext
  bool compressed = false;
};

}  // namespace mtc::restic
