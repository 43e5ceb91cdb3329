#include "restic/restore.hpp"

#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "restic/device_tree.hpp"
#include "restic/restore_device.hpp"
#include "restic/restore_lane.hpp"
#include "restic/root_tag.hpp"
#include "volume/attributes.hpp"
#include "volume/file_error.hpp"

namespace mtc::restic {
namespace {

Task<volume::Report> write_all(Repository* repository, const RestoreOptions* options, const Snapshot* snapshot,
                               volume::Progress* progress) {
  const auto destination = co_await async::offload([&] {
    return std::make_unique<volume::Destination>(
        options->root, volume::Wishes{.remove_extras = true, .by_hash = options->by_hash}, progress);
  });
  Restoring restoring(*repository, *destination, snapshot->tree, *progress);
  std::vector<Task<void>> lanes;
  lanes.reserve(options->lanes);
  for (unsigned i = 0; i < options->lanes; ++i) lanes.push_back(run_restore_lane(&restoring));
  co_await async::all(std::move(lanes));
  auto report = co_await async::offload([&] {
    destination->link(restoring.scan.links());
    const auto root = root_of(snapshot->tags);
    return destination->finish(root ? *root : volume::look_at_open(destination->tree().fd(), "", "").entry);
  });
  report.entries = restoring.entries;
  if (restoring.scan.left_out_lost_and_found()) report.lose("content of lost+found", 1, volume::kLostAndFound);
  if (const auto& cut = restoring.scan.cut_times()) report.lose(cut->what, cut->count, cut->path);
  co_return report;
}

/// How long the device is that is restored, or 0 for a tree. Throws Error(kInvalid) if the snapshot is not of that.
std::uint64_t device_size(const RestoreOptions& options, const Snapshot& snapshot) {
  const auto size = device_of(snapshot);
  if (size.has_value() == options.device) return size.value_or(0);
  throw Error(Code::kInvalid, fmt::format("snapshot {} is of {}, and {} is {}", snapshot.id.brief(),
                                          size ? "a block device" : "a file tree", volume::printable(options.root),
                                          options.device ? "a block device" : "to be a file tree"));
}

}  // namespace

Task<volume::Report> restore(std::shared_ptr<Repository> repository, RestoreOptions options) {
  volume::Progress own;
  if (options.progress == nullptr) options.progress = &own;
  options.progress->begin();
  const auto snapshot = co_await load_snapshot(*repository, options.snapshot);
  const auto device = device_size(options, snapshot);
  co_await repository->load_index();
  if (options.device) co_return co_await restore_device(repository.get(), &options, &snapshot, device);
  auto report = co_await write_all(repository.get(), &options, &snapshot, options.progress);
  if (options.verify) co_await verify(repository, snapshot, options, &report);
  co_return report;
}

}  // namespace mtc::restic
