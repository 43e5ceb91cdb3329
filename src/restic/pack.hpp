#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "restic/blob.hpp"
#include "restic/crypto.hpp"
#include "restic/id.hpp"

namespace mtc::restic {

/// A blob in a pack, as the pack's header and index files tell it.
struct PackedBlob {
  Id id;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;      ///< sealed
  std::uint32_t plain_size = 0;  ///< of the plaintext
  BlobType type = BlobType::kData;
  bool compressed = false;

  bool operator==(const PackedBlob&) const = default;
};

/// A blob's plaintext: chunks have up to 8 MiB, the tree of a directory with a million files some hundreds.
constexpr std::uint32_t kMaxData = 64U << 20U;
constexpr std::uint32_t kMaxTree = 1U << 30U;
constexpr std::uint32_t max_plain(BlobType type) { return type == BlobType::kData ? kMaxData : kMaxTree; }
/// A blob that could not be sealed with its sizes is Error(kCorrupt).
void check_sizes(const PackedBlob& blob);

/// The plaintext of a pack's header: a type, one or two sizes and the Id of each blob.
std::string encode_pack_header(std::span<const PackedBlob> blobs);
/// Throws Error(kCorrupt).
std::vector<PackedBlob> decode_pack_header(std::string_view plain);
/// How large a pack of these blobs is.
std::uint64_t pack_size(std::span<const PackedBlob> blobs);
/// The blobs that the header of a whole pack names; they fill all of it that is not header. Throws Error(kCorrupt).
std::vector<PackedBlob> read_pack(const Key& key, std::string_view pack);

/// The plaintext of a blob from its bytes in a pack. Throws Error(kCorrupt), also if its content has another Id. Any
/// thread.
std::string unseal_blob(const Key& key, const Location& location, const Id& id, std::string_view sealed);

/// A pack that is complete.
struct FinishedPack {
  Id id;
  std::string bytes;
  std::vector<PackedBlob> blobs;
};

/// A pack that is being filled.
class Pack {
 public:
  void add(Sealed blob);
  bool empty() const { return blobs_.empty(); }
  /// Whether it has `size` bytes, or as many blobs as a header should hold.
  bool full(std::uint64_t size) const;
  /// Puts it together and closes it with its header. Copies and hashes all of it: for a pool.
  FinishedPack finish(const Key& key) &&;

 private:
  std::uint64_t size_ = 0;
  std::vector<std::string> sealed_;
  std::vector<PackedBlob> blobs_;
};

}  // namespace mtc::restic
