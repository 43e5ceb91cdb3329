#include <memory>
#include <mutex>

#include "async/runtime.hpp"
#include "restic/restore_lane.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

/// A large file while it is written.
class LargeTarget : public ContentTarget {
 public:
  LargeTarget(std::unique_ptr<volume::LargeFile> file, volume::Progress& progress)
      : file_(std::move(file)), basis_(file_->basis().value_or(0)), progress_(&progress) {}

  bool is_open() override {
    const std::scoped_lock lock(mutex_);
    return file_->basis().has_value();
  }
  /// Only what was there before this run counts.
  bool holds(std::uint64_t offset, std::uint64_t size, const Id& blob) override {
    if (offset >= basis_) return false;
    const std::scoped_lock lock(mutex_);
    if (!file_->holds(offset, size, blob.raw())) return false;
    progress_->settle(0, size);
    return true;
  }
  void write(std::uint64_t offset, std::string_view content) override {
    const std::scoped_lock lock(mutex_);
    // Zeros over what was there make a hole; in a fresh file write() leaves one.
    if (offset < basis_ && volume::all_zero(content)) {
      file_->zero(offset, content.size());
      progress_->settle(0, content.size());
    } else {
      file_->write(offset, content);
    }
  }
  void finish(const volume::FileHead& head) { file_->finish(head); }

 private:
  std::unique_ptr<volume::LargeFile> file_;
  std::mutex mutex_;  // guards the file
  std::uint64_t basis_;
  volume::Progress* progress_;
};

}  // namespace

Task<void> restore_large(Restoring* restoring, const SnapshotBatch* batch, volume::Where at) {
  const auto permit = co_await restoring->large.acquire();
  const auto& segment = batch->listed.batch.segments[at.segment];
  const auto& entry = segment.found[at.entry].entry;
  const auto& content = batch->content[at.segment][at.entry];
  const auto sizes = sizes_of(*restoring->repository, content, entry.size, volume::join_path(segment.path, entry.name));
  auto target = co_await async::offload([&] {
    return std::make_unique<LargeTarget>(restoring->destination->open_large(segment, entry), *restoring->progress);
  });
  co_await restore_content(restoring->repository, &restoring->requests, target.get(), {&content, &sizes});
  co_await async::offload([&] {
    target->finish({at, volume::Content::kComplete, entry});
    target.reset();
  });
}

}  // namespace mtc::restic
