#include "restic/restore.hpp"

#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "restic/restore_lane.hpp"
#include "restic/root_tag.hpp"
#include "volume/attributes.hpp"

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

}  // namespace

Task<volume::Report> restore(std::shared_ptr<Repository> repository, RestoreOptions options) {
  volume::Progress own;
  if (options.progress == nullptr) options.progress = &own;
  options.progress->begin();
  const auto snapshot = co_await load_snapshot(*repository, options.snapshot);
  co_await repository->load_index();
  auto report = co_await write_all(repository.get(), &options, &snapshot, options.progress);
  if (options.verify) co_await verify(repository, snapshot, options, &report);
  co_return report;
}

}  // namespace mtc::restic
