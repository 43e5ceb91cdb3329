#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "restic/blob.hpp"
#include "restic/id.hpp"
#include "restic/pack.hpp"

namespace mtc::restic {

/// Which blob lies where; about 100 bytes of memory a blob. Any thread.
class Index {
 public:
  /// Whether it is stored or claimed.
  bool knows(BlobType type, const Id& id) const;
  /// False if it was known already; otherwise the caller is to store it.
  bool claim(BlobType type, const Id& id);
  /// Of stored blobs; a claimed one is nowhere yet.
  std::optional<Location> locate(BlobType type, const Id& id) const;
  /// The blobs of a pack that is stored. Of a blob in several packs the last one counts.
  void add(const Id& pack, std::span<const PackedBlob> blobs);

 private:
  static constexpr std::uint32_t kClaimed = UINT32_MAX;
  struct Entry {
    std::uint32_t pack = kClaimed;  ///< in packs_
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t plain_size = 0;  ///< 0 = not compressed
  };
  using Entries = std::unordered_map<Id, Entry, IdHash>;
  const Entries& of(BlobType type) const { return entries_[static_cast<std::size_t>(type)]; }
  Entries& of(BlobType type) { return entries_[static_cast<std::size_t>(type)]; }

  mutable std::mutex mutex_;
  std::array<Entries, 2> entries_;
  std::vector<Id> packs_;
};

}  // namespace mtc::restic
