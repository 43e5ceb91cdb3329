#include "restic/restore_device.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "restic/device_tree.hpp"
#include "restic/restore_content.hpp"
#include "restic/store_content.hpp"
#include "volume/device.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

using volume::Device;
using volume::Extent;

constexpr std::size_t kRequests = 8;
constexpr std::uint64_t kPiece = 1024UZ * 1024;

/// A device while it is written.
class DeviceTarget : public ContentTarget {
 public:
  DeviceTarget(Device& device, const ZeroBlob& zeros, volume::Progress& progress)
      : device_(&device), zeros_(&zeros), progress_(&progress) {}

  bool is_open() override { return true; }
  bool holds(std::uint64_t offset, std::uint64_t size, const Id& blob) override {
    const bool same =
        size == zeros_->size && blob == zeros_->id ? is_zero(offset, size) : digest(offset, size) == blob.raw();
    if (same) progress_->settle(0, size);
    return same;
  }
  void write(std::uint64_t offset, std::string_view content) override {
    if (volume::all_zero(content)) {
      device_->zero(offset, content.size());
    } else {
      device_->write(offset, content);
    }
    written_ += content.size();
    progress_->settle(0, content.size());
    progress_->move(content.size());
  }
  std::uint64_t written() const { return written_; }

 private:
  /// Calls `visit` with one piece of the range after the other, until it says false.
  template <typename Visit>
  void visit(std::uint64_t offset, std::uint64_t size, const Visit& visit) const {
    thread_local std::string piece;
    for (const auto end = offset + size; offset < end; offset += piece.size()) {
      piece.clear();
      if (!visit(device_->read(piece, offset, std::min(kPiece, end - offset)))) return;
    }
  }
  bool is_zero(std::uint64_t offset, std::uint64_t size) const {
    bool zero = true;
    visit(offset, size, [&zero](std::string_view piece) { return zero = volume::all_zero(piece); });
    return zero;
  }
  std::string digest(std::uint64_t offset, std::uint64_t size) const {
    Sha256 hash;
    visit(offset, size, [&hash](std::string_view piece) {
      hash.update(piece);
      return true;
    });
    return hash.finish();
  }

  Device* device_;
  const ZeroBlob* zeros_;
  volume::Progress* progress_;
  std::atomic<std::uint64_t> written_ = 0;
};

/// The ranges of a run whose bytes on the disk are not their blobs'.
std::vector<Extent> differing(const Device& device, const Blobs& blobs, BlobRun run) {
  std::vector<Extent> out;
  for (auto at = run.first; at < run.end; ++at) {
    const Extent extent{run.offset, (*blobs.sizes)[at]};
    if (device.digest_from_disk(extent) != (*blobs.ids)[at].raw()) out.push_back(extent);
    run.offset += extent.size;
  }
  return out;
}

Task<void> verify_run(const Device* device, Blobs blobs, BlobRun run, std::vector<Extent>* into) {
  *into = co_await async::offload([&] { return differing(*device, blobs, run); });
}

Task<void> verify_device(const Device* device, Blobs blobs, std::uint64_t size, unsigned lanes,
                         volume::Report* report) {
  const auto runs = runs_of(*blobs.sizes);
  std::vector<std::vector<Extent>> found(runs.size());
  co_await async::parallel_for(runs.size(), lanes,
                               [&](std::size_t i) { return verify_run(device, blobs, runs[i], &found[i]); });
  for (const auto& each : found) {
    for (const auto& extent : each) note_difference(*report, extent, "content");
  }
  const auto extras = co_await async::offload([&] { return volume::extras_beyond(*device, size); });
  for (const auto& extra : extras) note_difference(*report, extra, "extra");
  report->verified = true;
}

}  // namespace

Task<volume::Report> restore_device(Repository* repository, const RestoreOptions* options, const Snapshot* snapshot,
                                    std::uint64_t size) {
  const auto tree = co_await repository->load(BlobType::kTree, snapshot->tree);
  const auto content = co_await async::offload([&] { return device_content(tree, size); });
  const auto sizes = sizes_of(*repository, content, size, kDeviceName);
  const Blobs blobs{&content, &sizes};
  const auto device = co_await async::offload([&] { return volume::open_target(options->root, size); });
  auto* progress = options->progress;
  progress->found(1, size);
  progress->counted = true;
  const ZeroBlob zeros((Chunker(repository->chunker_polynomial())));
  DeviceTarget target(*device, zeros, *progress);
  async::Semaphore requests(kRequests);
  co_await restore_content(repository, &requests, &target, blobs);
  co_await async::offload([&] {
    volume::zero_beyond(*device, size);
    device->settle();
  });
  volume::Report report;
  report.entries = 1;
  report.files = target.written() > 0 ? 1 : 0;
  report.skipped = 1 - report.files;
  report.bytes = target.written();
  report.device = size;
  report.beyond = device->size() - size;
  progress->settle(1, 0);
  if (!options->verify) co_return report;
  progress->stage = volume::Stage::kVerifying;
  co_await verify_device(device.get(), blobs, size, options->lanes, &report);
  co_return report;
}

}  // namespace mtc::restic
