#include <memory>
#include <mutex>
#include <utility>

#include "async/runtime.hpp"
#include "restic/restore_lane.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

constexpr std::uint64_t kWindow = 32ULL * 1024 * 1024;  ///< of a file's content, that is asked for at once
constexpr std::size_t kWindowsAtOnce = 2;               ///< so that the end of one does not wait for its last request

/// A large file while it is written; blobs come on any threads, in any order.
struct Writing {
  std::unique_ptr<volume::LargeFile> file;
  std::mutex mutex;  // guards the file
  std::uint64_t basis = 0;
  volume::Progress* progress = nullptr;

  bool is_open() {
    const std::scoped_lock lock(mutex);
    return file->basis().has_value();
  }
  /// Whether these bytes were there before this run: `hash` is their SHA-256.
  bool holds(std::uint64_t offset, std::uint64_t size, std::string_view hash) {
    if (offset >= basis) return false;
    const std::scoped_lock lock(mutex);
    return file->holds(offset, size, hash);
  }
  void write(std::uint64_t offset, std::string_view content) {
    const std::scoped_lock lock(mutex);
    // Zeros over what was there make a hole; in a fresh file write() leaves one.
    if (offset < basis && volume::all_zero(content)) {
      file->zero(offset, content.size());
      progress->settle(0, content.size());
    } else {
      file->write(offset, content);
    }
  }
};

/// Blobs of a file that are asked for together.
struct Window {
  std::size_t first = 0;
  std::size_t end = 0;
  std::uint64_t offset = 0;  ///< in the file
};

std::vector<Window> windows_of(const std::vector<std::uint32_t>& sizes) {
  std::vector<Window> windows;
  std::uint64_t offset = 0;
  for (std::size_t at = 0; at < sizes.size(); ++at) {
    if (windows.empty() || offset - windows.back().offset >= kWindow) windows.push_back({at, at, offset});
    windows.back().end = at + 1;
    offset += sizes[at];
  }
  return windows;
}

/// A large file, its blobs and their sizes.
struct LargeContent {
  Writing* writing;
  const std::vector<Id>* ids;
  const std::vector<std::uint32_t>* sizes;
};

/// Asks for the blobs of a window that are not here yet.
void fill(Fetch& fetch, const LargeContent& content, Window window) {
  auto& writing = *content.writing;
  for (auto at = window.first; at < window.end; ++at) {
    const auto& id = (*content.ids)[at];
    const auto size = (*content.sizes)[at];
    const std::string_view hash(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
    if (writing.holds(window.offset, size, hash)) {
      writing.progress->settle(0, size);
    } else {
      fetch.add(id, {0, window.offset});
    }
    window.offset += size;
  }
}

Task<void> restore_window(Restoring* restoring, LargeContent content, Window window) {
  auto* writing = content.writing;
  if (!writing->is_open()) co_return;
  Fetch fetch(*restoring->repository, restoring->requests);
  co_await async::offload([&] { fill(fetch, content, window); });
  co_await fetch.run([writing](const Target& target, std::string_view bytes) { writing->write(target.offset, bytes); });
}

}  // namespace

Task<void> restore_large(Restoring* restoring, const SnapshotBatch* batch, volume::Where at) {
  const auto permit = co_await restoring->large.acquire();
  const auto& segment = batch->listed.batch.segments[at.segment];
  const auto& entry = segment.found[at.entry].entry;
  const auto& content = batch->content[at.segment][at.entry];
  const auto sizes = sizes_of(*restoring->repository, content, entry.size, volume::join_path(segment.path, entry.name));
  Writing writing;
  writing.progress = restoring->progress;
  co_await async::offload([&] {
    writing.file = restoring->destination->open_large(segment, entry);
    writing.basis = writing.file->basis().value_or(0);
  });
  const auto windows = windows_of(sizes);
  const LargeContent all{&writing, &content, &sizes};
  co_await async::parallel_for(windows.size(), kWindowsAtOnce,
                               [&](std::size_t i) { return restore_window(restoring, all, windows[i]); });
  co_await async::offload([&] {
    writing.file->finish({at, volume::Content::kComplete, entry});
    writing.file.reset();
  });
}

}  // namespace mtc::restic
