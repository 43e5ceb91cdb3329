#include "restic/index.hpp"

namespace mtc::restic {

bool Index::knows(BlobType type, const Id& id) const {
  const std::scoped_lock lock(mutex_);
  return of(type).contains(id);
}

bool Index::claim(BlobType type, const Id& id) {
  const std::scoped_lock lock(mutex_);
  return of(type).try_emplace(id).second;
}

std::optional<Location> Index::locate(BlobType type, const Id& id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = of(type).find(id);
  if (found == of(type).end() || found->second.pack == kClaimed) return std::nullopt;
  const auto& entry = found->second;
  const bool compressed = entry.plain_size != 0;
  const auto plain = compressed ? entry.plain_size : entry.length - static_cast<std::uint32_t>(kSealOverhead);
  return Location{packs_[entry.pack], entry.offset, entry.length, plain, compressed};
}

void Index::add(const Id& pack, std::span<const PackedBlob> blobs) {
  const std::scoped_lock lock(mutex_);
  const auto number = static_cast<std::uint32_t>(packs_.size());
  packs_.push_back(pack);
  for (const auto& blob : blobs) {
    of(blob.type)[blob.id] = {number, blob.offset, blob.length, blob.compressed ? blob.plain_size : 0};
  }
}

}  // namespace mtc::restic
