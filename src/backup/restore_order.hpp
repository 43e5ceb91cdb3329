#pragma once

#include <string>
#include <vector>

namespace mtc::backup {

/// Sorts group-resources as Velero restores them (velero.md §4.2): a fixed list first, the rest by name, workload APIs
/// of cluster managers last. Objects of one place may be created in parallel; places follow one another.
std::vector<std::string> restore_order(std::vector<std::string> group_resources);

}  // namespace mtc::backup
