#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "async/task.hpp"
#include "restic/blob.hpp"
#include "restic/id.hpp"

namespace mtc::restic {

class Repository;

/// What the JSON of a tree refers to.
struct References {
  std::vector<Id> trees;  ///< of its directories
  std::vector<Id> data;   ///< of its files
};
/// Throws Error(kCorrupt) for what is no tree, and for a directory or file that refers to nothing.
References decode_references(std::string_view tree);

/// A set of blobs.
class BlobSet {
 public:
  /// False if it was there.
  bool insert(BlobType type, const Id& id) { return of_[static_cast<std::size_t>(type)].insert(id).second; }
  bool contains(BlobType type, const Id& id) const { return of_[static_cast<std::size_t>(type)].contains(id); }
  std::size_t size() const { return of_[0].size() + of_[1].size(); }

 private:
  std::array<std::unordered_set<Id, IdHash>, 2> of_;
};

/// All blobs that the trees `roots` need, themselves included. The index is loaded. What is in no index or is damaged
/// is told to `failed`; the Errors of the store are thrown.
Task<BlobSet> used_blobs(Repository* repository, std::vector<Id> roots, std::function<void(std::string)> failed);

}  // namespace mtc::restic
