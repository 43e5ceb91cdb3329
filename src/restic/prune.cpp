#include "restic/prune.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <ranges>
#include <tuple>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "restic/blob_reader.hpp"
#include "restic/files.hpp"
#include "restic/index_file.hpp"
#include "restic/index_table.hpp"
#include "restic/pack.hpp"
#include "restic/references.hpp"
#include "restic/repository.hpp"
#include "restic/snapshot.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kRemovals = 8;
constexpr std::size_t kRequests = 2;
/// Blobs are copied so many bytes at a time, each held in memory.
constexpr std::uint64_t kCopied = 32ULL << 20U;

using IdSet = std::unordered_set<Id, IdHash>;

/// The snapshots that `keep` does not keep. `known` are sorted by time.
std::vector<Id> forgotten_of(const std::vector<Snapshot>& known, const Keep& keep) {
  std::vector<Id> forgotten;
  std::map<std::string, std::size_t> kept;
  for (const auto& snapshot : std::views::reverse(known)) {
    if (!keep.host.empty() && snapshot.hostname != keep.host) continue;
    if (++kept[snapshot.hostname] > keep.last) forgotten.push_back(snapshot.id);
  }
  return forgotten;
}

[[noreturn]] void refuse(const Repository& repository, std::string_view what) {
  throw Error(Code::kCorrupt, fmt::format("{}: nothing is pruned: {}", repository.describe(), what));
}

/// What becomes of the packs.
struct Fates {
  IdSet removed;                   ///< with those whose blobs are copied first
  std::vector<WantedBlob> copied;  ///< blobs in use that lie in packs that go
};

/// What of a pack is in use.
struct PackUse {
  Id id;
  const std::vector<PackedBlob>* blobs;
  bool broken = false;
  std::uint64_t bytes = 0;
  std::uint64_t unused = 0;
};

std::vector<PackUse> uses_of(const IndexTable& table, const BlobSet& used) {
  std::vector<PackUse> uses;
  for (const auto& [id, blobs] : table.packs) {
    PackUse use{id, &blobs, !is_whole(id, blobs, table.stored)};
    for (const auto& blob : blobs) {
      use.bytes += blob.length;
      if (!used.contains(blob.type, blob.id)) use.unused += blob.length;
    }
    uses.push_back(use);
  }
  // Of a blob in several packs the one in the pack with the least waste stays, never one in a pack that is broken.
  std::ranges::sort(uses, [](const PackUse& a, const PackUse& b) {
    return std::tie(a.broken, a.unused, a.id) < std::tie(b.broken, b.unused, b.id);
  });
  return uses;
}

/// Packs without use go; those of which more than a tenth is waste are copied; the others stay as they are.
Fates decide(const Repository& repository, const IndexTable& table, const BlobSet& used) {
  Fates fates;
  BlobSet placed;
  for (const auto& use : uses_of(table, used)) {
    std::vector<WantedBlob> wanted;
    auto unused = use.bytes;
    for (const auto& blob : *use.blobs) {
      if (!used.contains(blob.type, blob.id) || !placed.insert(blob.type, blob.id)) continue;
      unused -= blob.length;
      wanted.push_back({{blob.type, blob.id}, {use.id, blob.offset, blob.length, blob.plain_size, blob.compressed}});
    }
    if (use.broken && !wanted.empty()) {
      refuse(repository, fmt::format("pack {} is in use, but missing or cut", use.id.hex()));
    }
    if (wanted.empty() || unused > use.bytes / 10) {
      fates.removed.insert(use.id);
      fates.copied.insert(fates.copied.end(), wanted.begin(), wanted.end());
    }
  }
  return fates;
}

/// Copies blobs, as they are sealed, into new packs; each is checked on the way.
Task<void> copy_blobs(Repository* repository, std::vector<WantedBlob> blobs) {
  std::ranges::sort(blobs, {}, [](const WantedBlob& blob) { return std::tie(blob.at.pack, blob.at.offset); });
  std::mutex mutex;
  std::vector<Sealed> sealed;
  std::optional<Error> damaged;
  const BlobSink sink{
      [&](const WantedBlob& blob, std::string_view bytes, const std::string&) {
        const std::scoped_lock lock(mutex);
        sealed.push_back({blob.key.type, blob.key.id, std::string(bytes), blob.at.plain_size, blob.at.compressed});
      },
      [&](const WantedBlob&, const Error& why) { damaged = why; }};
  for (auto from = blobs.begin(); from != blobs.end();) {
    auto to = from;
    for (std::uint64_t bytes = 0; to != blobs.end() && bytes < kCopied; ++to) bytes += to->at.length;
    co_await read_blobs(repository, std::vector(from, to), kRequests, sink);
    if (damaged) refuse(*repository, damaged->what());
    co_await repository->add(std::exchange(sealed, {}));
    from = to;
  }
  co_await repository->flush();
}

/// Writes what is left of the index files that name a pack that goes; gives the files that it took the place of.
Task<std::vector<Id>> rewrite_index(Repository* repository, const IndexTable* table, const IdSet* removed) {
  std::vector<Id> replaced;
  IdSet wanted;
  for (const auto& [file, packs] : table->files) {
    const auto goes = [&](const Id& pack) { return removed->contains(pack); };
    if (std::ranges::none_of(packs, goes)) continue;
    replaced.push_back(file);
    for (const auto& pack : packs) {
      if (!goes(pack)) wanted.insert(pack);
    }
  }
  IndexFile next{.supersedes = replaced, .packs = {}};
  std::size_t blobs = 0;
  for (const auto& pack : wanted) {
    next.packs.push_back({pack, table->packs.at(pack)});
    blobs += next.packs.back().blobs.size();
    if (blobs < kIndexBlobs) continue;
    co_await repository->files().save_document(FileType::kIndex, encode_index(std::exchange(next, {})));
    blobs = 0;
  }
  if (!next.packs.empty()) co_await repository->files().save_document(FileType::kIndex, encode_index(next));
  co_return replaced;
}

Task<void> remove_all(Files* files, FileType type, std::vector<Id> ids) {
  co_await async::parallel_for(ids.size(), kRemovals, [&](std::size_t i) { return files->remove(type, ids[i]); });
}

}  // namespace

Task<PruneReport> forget_and_prune(std::shared_ptr<Repository> repository, Keep keep) {
  PruneReport report;
  auto& files = repository->files();
  const auto known = co_await snapshots(*repository);
  report.forgotten = forgotten_of(known, keep);
  std::vector<Id> roots;
  for (const auto& snapshot : known) {
    if (std::ranges::find(report.forgotten, snapshot.id) == report.forgotten.end()) roots.push_back(snapshot.tree);
  }

  // All that may be damaged is looked at before anything is removed.
  const auto failed = [&](const std::string& what) { refuse(*repository, what); };
  const auto table = co_await load_index_table(repository.get(), failed);
  const auto used = co_await used_blobs(repository.get(), roots, failed);
  auto fates = decide(*repository, table, used);
  report.repacked_blobs = fates.copied.size();

  co_await remove_all(&files, FileType::kSnapshot, report.forgotten);
  co_await copy_blobs(repository.get(), std::move(fates.copied));
  co_await remove_all(&files, FileType::kIndex, co_await rewrite_index(repository.get(), &table, &fates.removed));

  // Packs in no index are what a run that ended early left: with an exclusive lock nobody else writes.
  std::vector<Id> last;
  for (const auto& [pack, size] : table.stored) {
    if (table.packs.contains(pack) && !fates.removed.contains(pack)) continue;
    last.push_back(pack);
    report.freed_bytes += size;
  }
  report.removed_packs = last.size();
  co_await remove_all(&files, FileType::kPack, std::move(last));
  co_return report;
}

}  // namespace mtc::restic
