#include "volume/count.hpp"

#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <utility>

#include "volume/file_error.hpp"
#include "volume/scan.hpp"

namespace mtc::volume {
namespace {

struct Totals {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::set<std::pair<dev_t, ino_t>> shared;  ///< files with several names
};

void count_segment(const Tree& tree, const Segment& segment, Totals& totals) {
  const auto directory = tree.open_directory(segment.path);
  for (const auto& seen : segment.found) {
    struct stat found{};
    if (::fstatat(directory.get(), seen.entry.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(found.st_mode)) continue;
    if (found.st_nlink > 1 && !totals.shared.emplace(found.st_dev, found.st_ino).second) continue;
    ++totals.files;
    totals.bytes += static_cast<std::uint64_t>(found.st_size);
  }
}

}  // namespace

void count_tree(const Tree& tree, Progress& progress, const std::atomic<bool>& stop) {
  Totals totals;
  Scan scan(tree);
  while (auto batch = scan.next()) {
    for (const auto& segment : batch->segments) {
      if (stop) return;
      try {
        count_segment(tree, segment, totals);
      } catch (const FileError&) {
        continue;  // Vanished, or the scan says why it cannot be read.
      }
    }
  }
  progress.counted = true;
  progress.files_total = totals.files;
  progress.bytes_total = totals.bytes;
}

}  // namespace mtc::volume
