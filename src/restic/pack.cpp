#include "restic/pack.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "restic/compress.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kPlainEntry = 1 + 4 + 32;
constexpr std::size_t kCompressedEntry = kPlainEntry + 4;
constexpr std::size_t kLengthSize = 4;
/// restic reads no larger header.
constexpr std::size_t kMaxHeader = 16U << 20U;
constexpr std::size_t kMaxBlobs = 100'000;
/// So that one more blob cannot push an offset beyond 32 bits.
constexpr std::uint64_t kMaxPack = 3ULL << 30U;

[[noreturn]] void corrupt(std::string_view what) { throw Error(Code::kCorrupt, std::string(what)); }

void put_u32(std::string& to, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) to += static_cast<char>(value >> shift & 0xffU);
}

std::uint32_t u32(std::string_view from) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(from[i])) << (8 * i);
  return value;
}

PackedBlob decode_entry(std::string_view& from) {
  const auto kind = static_cast<std::uint8_t>(from[0]);
  if (kind > 3) corrupt(fmt::format("its header has a blob of the unknown type {}", kind));
  PackedBlob blob{.type = static_cast<BlobType>(kind & 1U), .compressed = kind > 1};
  const auto size = blob.compressed ? kCompressedEntry : kPlainEntry;
  if (from.size() < size) corrupt("its header ends within a blob");
  blob.length = u32(from.substr(1));
  if (blob.length < kSealOverhead) corrupt("its header has a blob that is smaller than its own encryption");
  blob.plain_size = blob.compressed ? u32(from.substr(5)) : blob.length - static_cast<std::uint32_t>(kSealOverhead);
  std::memcpy(blob.id.bytes.data(), from.data() + size - blob.id.bytes.size(), blob.id.bytes.size());
  from.remove_prefix(size);
  return blob;
}

}  // namespace

void check_sizes(const PackedBlob& blob) {
  const bool fits = blob.length >= kSealOverhead && blob.length <= kMaxPlain &&
                    blob.plain_size <= max_plain(blob.type) &&
                    (blob.compressed ? blob.plain_size > 0 : blob.plain_size == blob.length - kSealOverhead);
  if (fits) return;
  corrupt(fmt::format("the {} blob {} cannot have {} bytes sealed and {} in plain text", to_string(blob.type),
                      blob.id.brief(), blob.length, blob.plain_size));
}

std::string encode_pack_header(std::span<const PackedBlob> blobs) {
  std::string header;
  header.reserve(blobs.size() * kCompressedEntry);
  for (const auto& blob : blobs) {
    header += static_cast<char>(static_cast<unsigned>(blob.type) + (blob.compressed ? 2U : 0U));
    put_u32(header, blob.length);
    if (blob.compressed) put_u32(header, blob.plain_size);
    header.append(reinterpret_cast<const char*>(blob.id.bytes.data()), blob.id.bytes.size());
  }
  return header;
}

std::vector<PackedBlob> decode_pack_header(std::string_view plain) {
  std::vector<PackedBlob> blobs;
  std::uint64_t offset = 0;
  while (!plain.empty()) {
    auto blob = decode_entry(plain);
    check_sizes(blob);
    if (offset + blob.length > UINT32_MAX) corrupt("its blobs are larger together than a pack can be");
    blob.offset = static_cast<std::uint32_t>(offset);
    offset += blob.length;
    blobs.push_back(blob);
  }
  return blobs;
}

std::uint64_t pack_size(std::span<const PackedBlob> blobs) {
  std::uint64_t size = kSealOverhead + kLengthSize;
  for (const auto& blob : blobs) size += blob.length + (blob.compressed ? kCompressedEntry : kPlainEntry);
  return size;
}

std::vector<PackedBlob> read_pack(const Key& key, std::string_view pack) {
  if (pack.size() < kLengthSize + kSealOverhead) corrupt("it is too small for a pack");
  const auto size = u32(pack.substr(pack.size() - kLengthSize));
  pack.remove_suffix(kLengthSize);
  if (size < kSealOverhead || size > kMaxHeader || size > pack.size()) corrupt("the size of its header is impossible");
  const auto header = decrypt(key, pack.substr(pack.size() - size));
  if (!header) corrupt("its header was changed, or written with another key");
  auto blobs = decode_pack_header(*header);
  const auto end = blobs.empty() ? 0 : std::uint64_t{blobs.back().offset} + blobs.back().length;
  if (end != pack.size() - size) corrupt("its header does not fit its size");
  return blobs;
}

std::string unseal_blob(const Key& key, const Location& location, const Id& id, std::string_view sealed) {
  if (sealed.size() != location.length) corrupt("it has another length than its index says");
  auto plain = decrypt(key, sealed);
  if (!plain) corrupt("it was changed, or written with another key");
  if (location.compressed) plain = decompress_exactly(*plain, location.plain_size);
  if (Id::of(*plain) != id) corrupt("its content is not what its name says");
  return std::move(*plain);
}

void Pack::add(Sealed blob) {
  const PackedBlob packed{blob.id,
                          static_cast<std::uint32_t>(size_),
                          static_cast<std::uint32_t>(blob.bytes.size()),
                          blob.plain_size,
                          blob.type,
                          blob.compressed};
  check_sizes(packed);
  size_ += blob.bytes.size();
  sealed_.push_back(std::move(blob.bytes));
  blobs_.push_back(packed);
}

bool Pack::full(std::uint64_t size) const { return size_ >= std::min(size, kMaxPack) || blobs_.size() >= kMaxBlobs; }

FinishedPack Pack::finish(const Key& key) && {
  std::string bytes;
  bytes.reserve(pack_size(blobs_));
  Sha256 hash;
  const auto append = [&](std::string_view part) {
    bytes += part;
    hash.update(part);  // while the processor still has it at hand
  };
  for (auto& blob : sealed_) {
    append(blob);
    std::string().swap(blob);
  }
  auto header = encrypt(key, encode_pack_header(blobs_));
  put_u32(header, static_cast<std::uint32_t>(header.size()));
  append(header);
  return {Id::from_raw(hash.finish()), std::move(bytes), std::move(blobs_)};
}

}  // namespace mtc::restic
