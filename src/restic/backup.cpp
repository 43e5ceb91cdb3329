#include "restic/backup.hpp"

#include <algorithm>
#include <map>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "async/wait_list.hpp"
#include "restic/backup_pass.hpp"
#include "restic/backup_source.hpp"
#include "restic/root_tag.hpp"
#include "restic/store_content.hpp"

namespace mtc::restic {
namespace {

constexpr std::uint64_t kWindow = 256;  ///< batches between the first that is not in its tree yet and the last begun
constexpr std::size_t kLargeAtOnce = 2;

/// What the lanes of one pass share.
struct Pass {
  Pass(BackupSource& from, Repository& to, const std::optional<Snapshot>& before)
      : source(&from), previous(to, before), builder(to), zeros(from.chunker()) {}

  BackupSource* source;
  PreviousTree previous;
  TreeBuilder builder;
  ZeroBlob zeros;
  async::Semaphore turn{1};  // at the scan
  async::Semaphore large{kLargeAtOnce};
  async::Semaphore windows{Storing::kWindowsAtOnce};
  bool scanned = false;
  unsigned looking = 0;  ///< lanes between taking names and having looked at them
  std::uint64_t assembled = 0;
  std::map<std::uint64_t, std::vector<TreePart>> waiting;  ///< for the batches before them
  bool assembling = false;
  async::WaitList moved;

  void count_if_all_found() {
    if (scanned && looking == 0) source->progress().counted = true;
  }
};

/// The next names with what the snapshot before has of them; nothing at the end.
Task<std::optional<BackupUnit>> take_next(Pass* pass) {
  const auto turn = co_await pass->turn.acquire();
  if (pass->scanned) co_return std::nullopt;
  auto batch = co_await async::offload([pass] { return pass->source->take(); });
  if (!batch) {
    pass->scanned = true;
    pass->count_if_all_found();
    co_return std::nullopt;
  }
  while (batch->number >= pass->assembled + kWindow) co_await pass->moved.wait();
  ++pass->looking;
  BackupUnit unit;
  for (const auto& segment : batch->segments) unit.previous.push_back(co_await pass->previous.nodes_of(&segment));
  unit.batch = std::move(*batch);
  co_return unit;
}

Task<void> read_large(Pass* pass, BackupUnit* unit, volume::Where at) {
  const auto permit = co_await pass->large.acquire();
  auto* source = pass->source;
  if (source->take_known(unit->node(at))) co_return;
  const auto reader = co_await async::offload([&] { return std::make_unique<LargeFileReader>(*source, *unit, at); });
  auto* progress = &source->progress();
  auto blobs = co_await store_content({.repository = &source->repository(),
                                       .zeros = &pass->zeros,
                                       .windows = &pass->windows,
                                       .reads = source->reads(),
                                       .stored = [progress](std::uint64_t size, bool) { progress->move(size); }},
                                      [&reader] { return reader->next(); });
  co_await async::offload([&] { reader->finish(std::move(blobs)); });
}

Task<void> read_contents(Pass* pass, BackupUnit* unit) {
  auto* source = pass->source;
  for (std::size_t at = 0; at < unit->unread.size();) {
    const auto begun = at;
    auto blobs = co_await async::offload([&] { return source->read_some(*unit, at); });
    if (!blobs.empty()) co_await source->repository().add(std::move(blobs));
    if (source->reads() != nullptr) co_await source->reads()->keep();
    if (at == begun) co_await read_large(pass, unit, unit->unread[at++]);
  }
}

/// Puts a batch's nodes into their trees when those before it are in; one task does it at a time, for all.
Task<void> assemble(Pass* pass, std::uint64_t number, std::vector<TreePart> parts) {
  pass->waiting.emplace(number, std::move(parts));
  if (std::exchange(pass->assembling, true)) co_return;
  while (!pass->waiting.empty() && pass->waiting.begin()->first == pass->assembled) {
    const auto next = pass->waiting.extract(pass->waiting.begin());
    std::vector<Sealed> trees;
    co_await async::offload([&] {
      for (const auto& part : next.mapped()) pass->builder.add(part, trees);
    });
    if (!trees.empty()) co_await pass->source->repository().add(std::move(trees));
    ++pass->assembled;
    pass->moved.wake_all();
  }
  pass->assembling = false;
}

Task<void> run_lane(Pass* pass) {
  while (auto unit = co_await take_next(pass)) {
    co_await async::offload([&] { pass->source->look(*unit, pass->previous); });
    --pass->looking;
    pass->count_if_all_found();
    co_await read_contents(pass, &*unit);
    const auto number = unit->batch.number;
    auto parts = co_await async::offload([&] { return pass->source->parts_of(*unit); });
    unit.reset();
    co_await assemble(pass, number, std::move(parts));
  }
}

/// `before` is of the same tree.
Task<Passed> read_tree(Repository* repository, const BackupOptions* options, volume::Progress* progress,
                       std::optional<Snapshot> before) {
  Passed passed;
  passed.snapshot.time = repository->clock().now();
  const auto source = co_await async::offload(
      [&] { return std::make_unique<BackupSource>(options->root, *repository, options->reads, *progress); });
  Pass pass(*source, *repository, options->by_hash ? std::nullopt : before);
  std::vector<Task<void>> lanes;
  lanes.reserve(options->lanes);
  for (unsigned i = 0; i < options->lanes; ++i) lanes.push_back(run_lane(&pass));
  co_await async::all(std::move(lanes));
  std::vector<Sealed> trees;
  passed.snapshot.tree = co_await async::offload([&] { return pass.builder.finish(trees); });
  if (!trees.empty()) co_await repository->add(std::move(trees));
  co_await repository->flush();
  passed.snapshot.tags = options->tags;
  passed.snapshot.tags.push_back(root_tag(co_await async::offload([&] { return source->root_node(); })));
  passed.report = std::move(source->report());
  co_return passed;
}

Task<Passed> run_pass(Repository* repository, const BackupOptions* options, volume::Progress* progress,
                      std::optional<Snapshot> before) {
  progress->begin();
  auto passed = options->device ? co_await read_device(repository, options, progress)
                                : co_await read_tree(repository, options, progress, std::move(before));
  passed.report.lenient = options->lenient;
  co_return passed;
}

std::optional<Snapshot> newest_of(const std::vector<Snapshot>& all, const std::string& host) {
  std::optional<Snapshot> newest;
  for (const auto& each : all) {
    if (each.hostname == host && (!newest || each.time >= newest->time)) newest = each;
  }
  return newest;
}

}  // namespace

Task<BackupResult> back_up(std::shared_ptr<Repository> repository, BackupOptions options) {
  volume::Progress own;
  auto* progress = options.progress != nullptr ? options.progress : &own;
  const auto parent = newest_of(co_await snapshots(*repository), options.host);
  co_await repository->load_index();
  auto before = parent;
  BackupResult result;
  for (unsigned pass = 1;; ++pass) {
    auto passed = co_await run_pass(repository.get(), &options, progress, before);
    result.report = std::move(passed.report);
    before = std::move(passed.snapshot);
    if (result.report.unsettled() == 0 || pass >= options.passes) break;
    options.say(
        fmt::format("{} names changed while they were read: once more over the tree", result.report.unsettled()));
  }
  if (result.report.failed > 0 || (!options.lenient && result.report.unsettled() > 0)) co_return result;
  auto& snapshot = *before;
  if (parent) snapshot.parent = parent->id;
  snapshot.paths = {"/"};
  snapshot.hostname = options.host;
  snapshot.uid = ::geteuid();
  snapshot.gid = ::getegid();
  snapshot.id = co_await save_snapshot(*repository, snapshot);
  result.snapshot = std::move(snapshot);
  co_return result;
}

}  // namespace mtc::restic
