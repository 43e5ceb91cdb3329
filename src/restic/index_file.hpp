#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/task.hpp"
#include "restic/files.hpp"
#include "restic/id.hpp"
#include "restic/pack.hpp"

namespace mtc::restic {

/// The blobs of one pack, in any order.
struct IndexedPack {
  Id id;
  std::vector<PackedBlob> blobs;
};

/// A file in index/.
struct IndexFile {
  std::vector<Id> supersedes;  ///< index files that this one took the place of
  std::vector<IndexedPack> packs;
};

/// So many blobs are written into one file; each takes some 60 bytes there.
constexpr std::size_t kIndexBlobs = 50'000;

std::string encode_index(const IndexFile& file);
/// Throws Error(kCorrupt) for what is no index or has a blob that cannot be.
IndexFile decode_index(std::string_view text);
/// Throws Error: kNotFound, kCorrupt; it names the file.
Task<IndexFile> load_index_file(Files& files, Id id);

/// How large the packs are that lie in the store.
using PackSizes = std::unordered_map<Id, std::uint64_t, IdHash>;
Task<PackSizes> pack_sizes(Files& files);
/// Whether a pack can have these blobs: it is there, and not cut.
bool is_whole(const Id& pack, const std::vector<PackedBlob>& blobs, const PackSizes& stored);

}  // namespace mtc::restic
