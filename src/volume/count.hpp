#pragma once

#include <atomic>

#include "volume/progress.hpp"
#include "volume/tree.hpp"

namespace mtc::volume {

/// Counts the files of a tree and their bytes, a file with several names once, and puts the totals into `progress`;
/// gives up when `stop` is set. Throws FileError if the root cannot be read; what else cannot be read is left out.
/// Blocks.
void count_tree(const Tree& tree, Progress& progress, const std::atomic<bool>& stop);

}  // namespace mtc::volume
