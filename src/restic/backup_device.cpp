#include <memory>
#include <utility>

#include "async/runtime.hpp"
#include "restic/backup_pass.hpp"
#include "restic/device_tree.hpp"
#include "restic/store_content.hpp"
#include "restic/tree_builder.hpp"
#include "volume/device.hpp"

namespace mtc::restic {
namespace {

/// The tree with the device's file; flushed.
Task<Id> store_tree(Repository* repository, Node node) {
  TreePart part;
  part.add(node);
  TreeBuilder builder(*repository);
  std::vector<Sealed> trees;
  Id tree{};
  co_await async::offload([&] {
    builder.add(part, trees);
    tree = builder.finish(trees);
  });
  if (!trees.empty()) co_await repository->add(std::move(trees));
  co_await repository->flush();
  co_return tree;
}

}  // namespace

Task<Passed> read_device(Repository* repository, const BackupOptions* options, volume::Progress* progress) {
  const auto device = co_await async::offload(
      [&] { return std::make_unique<volume::Device>(options->root, volume::Device::Access::kRead); });
  progress->found(1, device->size());
  progress->counted = true;
  const auto watch = co_await async::offload([&] { return volume::DeviceWatch(*device); });
  Passed passed;
  passed.snapshot.time = repository->clock().now();
  auto& report = passed.report;
  const Chunker chunker(repository->chunker_polynomial());
  const ZeroBlob zeros(chunker);
  ContentWindows windows(chunker, device->size(), [&](std::string& to, std::uint64_t offset, std::uint64_t size) {
    return device->read(to, offset, size);
  });
  async::Semaphore at_once(Storing::kWindowsAtOnce);
  auto blobs = co_await store_content({.repository = repository,
                                       .zeros = &zeros,
                                       .windows = &at_once,
                                       .reads = options->reads,
                                       .stored =
                                           [&](std::uint64_t size, bool is_new) {
                                             progress->move(size);
                                             progress->settle(0, size);
                                             if (is_new) report.bytes += size;
                                           }},
                                      [&windows] { return windows.next(); });
  co_await async::offload([&] { watch.note_writes(report); });
  passed.snapshot.tree =
      co_await store_tree(repository, device_node(device->size(), std::move(blobs), passed.snapshot.time));
  passed.snapshot.tags = options->tags;
  passed.snapshot.tags.push_back(device_tag(device->size()));
  report.entries = 1;
  report.files = report.bytes > 0 ? 1 : 0;
  report.skipped = 1 - report.files;
  report.device = device->size();
  progress->settle(1, 0);
  co_return passed;
}

}  // namespace mtc::restic
