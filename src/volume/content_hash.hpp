#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.hpp"

namespace mtc::volume {

/// What stands for a file's content in the manifest (docs/protocol/volume.md): its SHA-256; of a file beyond one chunk
/// (kChunk) SHA-256 over the SHA-256 of each chunk in order. So a hole costs next to nothing, however large it is.
class ContentHash {
 public:
  void update(std::string_view data);
  /// The same as that many zeros.
  void hole(std::uint64_t size);
  /// 32 bytes; call once.
  std::string finish();

 private:
  void fold();

  std::optional<Sha256> chunk_;  ///< nothing has been said of it yet
  std::uint64_t filled_ = 0;     ///< of the chunk, bytes
  std::optional<Sha256> chunks_;
};

/// The content hash of the first `size` bytes of an open file; holes are not read. Blocks. Throws FileError.
std::string content_hash(int file, std::uint64_t size, std::string_view path);

}  // namespace mtc::volume
