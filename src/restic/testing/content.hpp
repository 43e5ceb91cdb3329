#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "restic/repository.hpp"
#include "restic/snapshot.hpp"

namespace mtc::restic::testing {

/// A file of a tree in tests: its pieces are its blobs.
struct FileContent {
  std::string name;
  std::vector<std::string> pieces;
};

/// Stores `files` below one root directory, each in a directory of its own ("0", "1" …), and flushes. Returns the Id of
/// the root's tree.
Task<Id> store_tree(Repository* repository, std::vector<FileContent> files);
/// The same, with a snapshot of it.
Task<Id> store_snapshot(Repository* repository, std::vector<FileContent> files, Time time, std::string host = "shop");

/// Reproducible bytes that do not compress.
std::string noise(std::size_t size, std::uint64_t seed = 1);

/// "Code: message" of the Error that `task` throws; "" if it throws none.
Task<std::string> failure_of(Task<void> task);

}  // namespace mtc::restic::testing
