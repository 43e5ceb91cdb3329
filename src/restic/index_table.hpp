#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/task.hpp"
#include "restic/id.hpp"
#include "restic/index_file.hpp"
#include "restic/pack.hpp"

namespace mtc::restic {

class Repository;

/// What all index files say, by pack.
struct IndexTable {
  std::unordered_map<Id, std::vector<PackedBlob>, IdHash> packs;  ///< blobs sorted by offset
  std::unordered_map<Id, std::vector<Id>, IdHash> files;          ///< the packs that an index file names
  PackSizes stored;                                               ///< the packs that are there
};

/// Reads all index files, for what has to see all of them at once (about 100 bytes of memory a blob), and makes the
/// repository know the blobs of packs that are there. A damaged one is told to `failed`; the Errors of the store are
/// thrown.
Task<IndexTable> load_index_table(Repository* repository, std::function<void(std::string)> failed);

}  // namespace mtc::restic
