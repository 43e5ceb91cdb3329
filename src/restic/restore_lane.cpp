#include "restic/restore_lane.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "async/runtime.hpp"
#include "volume/file_error.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

using volume::Content;
using volume::Entry;
using volume::Wanted;
using volume::Where;

constexpr std::uint64_t kWindow = 16ULL * 1024 * 1024;  ///< content of small files that is held at once, by one lane

const Entry& entry_of(const SnapshotBatch& batch, Where at) {
  return batch.listed.batch.segments[at.segment].found[at.entry].entry;
}

std::string path_of(const SnapshotBatch& batch, Where at) {
  return volume::join_path(batch.listed.batch.segments[at.segment].path, entry_of(batch, at).name);
}

/// Small files that are fetched together.
struct Window {
  std::vector<Wanted> files;
  std::vector<std::string> contents;
};

/// The next small files from wanted[at] on; none if a large one comes next. `at` moves on.
Window next_window(const Repository& repository, const SnapshotBatch& batch, const std::vector<Wanted>& wanted,
                   std::size_t& at, Fetch& fetch) {
  Window window;
  for (std::uint64_t total = 0; at < wanted.size() && total < kWindow; ++at) {
    const auto where = wanted[at].where;
    const auto& entry = entry_of(batch, where);
    if (entry.size > volume::kSmallFile) break;
    const auto& content = batch.content[where.segment][where.entry];
    const auto sizes = sizes_of(repository, content, entry.size, path_of(batch, where));
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < content.size(); ++i) {
      fetch.add(content[i], {window.files.size(), offset});
      offset += sizes[i];
    }
    window.files.push_back(wanted[at]);
    window.contents.emplace_back(entry.size, '\0');
    total += entry.size;
  }
  return window;
}

void store(volume::Destination& destination, const SnapshotBatch& batch, Window window) {
  volume::Writer files;
  for (std::size_t i = 0; i < window.files.size(); ++i) {
    const auto& wanted = window.files[i];
    auto& content = window.contents[i];
    volume::FileHead head{wanted.where, Content::kComplete, entry_of(batch, wanted.where)};
    if (wanted.basis == volume::Basis::kHash && wanted.hash == volume::quick_hash(content)) {
      head.content = Content::kSame;
      content.clear();
    }
    encode(files, head);
    files.text(content);
    content = {};
    if (files.bytes().size() < volume::kPack && i + 1 < window.files.size()) continue;
    destination.store(batch.listed, files.bytes());
    files.bytes().clear();
  }
}

Task<void> restore_window(Restoring* restoring, const SnapshotBatch* batch, Window window, Fetch* fetch) {
  auto* contents = &window.contents;
  co_await fetch->run([contents](const Target& target, std::string_view content) {
    std::memcpy((*contents)[target.file].data() + target.offset, content.data(), content.size());
  });
  co_await async::offload([&] { store(*restoring->destination, *batch, std::move(window)); });
}

Task<void> restore_contents(Restoring* restoring, const SnapshotBatch* batch, const std::vector<Wanted>* wanted) {
  for (std::size_t at = 0; at < wanted->size();) {
    Fetch fetch(*restoring->repository, restoring->requests);
    auto window =
        co_await async::offload([&] { return next_window(*restoring->repository, *batch, *wanted, at, fetch); });
    if (window.files.empty()) {
      co_await restore_large(restoring, batch, (*wanted)[at++].where);
    } else {
      co_await restore_window(restoring, batch, std::move(window), &fetch);
    }
  }
}

Task<std::optional<SnapshotBatch>> take_next(Restoring* restoring) {
  const auto turn = co_await restoring->turn.acquire();
  if (restoring->scanned) co_return std::nullopt;
  auto batch = co_await restoring->scan.next();
  if (batch) {
    ++restoring->looking;
    for (const auto& segment : batch->listed.batch.segments) restoring->entries += segment.found.size();
  } else {
    restoring->scanned = true;
    restoring->count_if_all_found();
  }
  co_return batch;
}

}  // namespace

Task<void> run_restore_lane(Restoring* restoring) {
  while (auto batch = co_await take_next(restoring)) {
    const auto wanted = co_await async::offload([&] { return restoring->destination->prepare(batch->listed); });
    --restoring->looking;
    restoring->count_if_all_found();
    co_await restore_contents(restoring, &*batch, &wanted);
  }
}

}  // namespace mtc::restic
