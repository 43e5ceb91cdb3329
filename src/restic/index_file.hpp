#pragma once

#include <string>
#include <string_view>
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

}  // namespace mtc::restic
