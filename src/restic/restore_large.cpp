#include <memory>
#include <mutex>
#include <utility>

#include "async/runtime.hpp"
#include "restic/restore_lane.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

constexpr std::uint64_t kWindow = 64ULL * 1024 * 1024;  ///< of a file's content, that is asked for at once

/// A large file while it is written; blobs come on any threads, in any order.
struct Writing {
  std::unique_ptr<volume::LargeFile> file;
  std::mutex mutex;  // guards the file
  std::uint64_t basis = 0;
  volume::Progress* progress = nullptr;

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

/// Asks for the blobs from `at` on that are not here yet, until they are enough for one window. `at` and `offset` move
/// on.
void fill(Fetch& fetch, const Writing& writing, const std::vector<Id>& content, const std::vector<std::uint32_t>& sizes,
          std::size_t& at, std::uint64_t& offset) {
  for (std::uint64_t total = 0; at < content.size() && total < kWindow; ++at) {
    const auto& id = content[at];
    const std::string_view hash(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
    total += sizes[at];
    if (offset < writing.basis && writing.file->holds(offset, sizes[at], hash)) {
      writing.progress->settle(0, sizes[at]);
    } else {
      fetch.add(id, {0, offset});
    }
    offset += sizes[at];
  }
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
  std::uint64_t offset = 0;
  for (std::size_t next = 0; next < content.size() && writing.file->basis();) {
    Fetch fetch(*restoring->repository, restoring->requests);
    co_await async::offload([&] { fill(fetch, writing, content, sizes, next, offset); });
    auto* to = &writing;
    co_await fetch.run([to](const Target& target, std::string_view bytes) { to->write(target.offset, bytes); });
  }
  co_await async::offload([&] {
    writing.file->finish({at, volume::Content::kComplete, entry});
    writing.file.reset();
  });
}

}  // namespace mtc::restic
