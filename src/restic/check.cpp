#include "restic/check.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "restic/files.hpp"
#include "restic/index_table.hpp"
#include "restic/pack.hpp"
#include "restic/references.hpp"
#include "restic/repository.hpp"
#include "restic/snapshot.hpp"

namespace mtc::restic {
namespace {

/// Each holds a pack in memory.
constexpr std::size_t kPacksAtOnce = 2;

class Check {
 public:
  explicit Check(Repository& repository) : repository_(repository) {}

  /// Snapshots come before the index: one that is saved meanwhile may need an index that was not there yet.
  Task<CheckReport> run(ReadData read_data) {
    const auto roots = co_await load_roots();
    const auto table = co_await load_index_table(&repository_, [this](std::string what) { fail(std::move(what)); });
    const auto present = compare_packs(table);
    const auto used = co_await used_blobs(&repository_, roots, [this](std::string what) { fail(std::move(what)); });
    count(table, used);
    if (read_data == ReadData::kYes) {
      co_await async::parallel_for(present.size(), kPacksAtOnce,
                                   [&](std::size_t i) { return read(present[i], &table.packs.at(present[i])); });
    }
    co_return std::move(report_);
  }

 private:
  void fail(std::string what) {
    if (++report_.failures <= CheckReport::kListed) report_.listed.push_back(std::move(what));
  }

  Task<std::vector<Id>> load_roots() {
    std::vector<Id> roots;
    for (const auto& file : co_await repository_.files().list(FileType::kSnapshot)) {
      ++report_.snapshots;
      try {
        roots.push_back((co_await load_snapshot(repository_, file.id)).tree);
      } catch (const Error& error) {
        if (error.code() != Code::kCorrupt && error.code() != Code::kNotFound) throw;
        fail(error.what());
      }
    }
    co_return roots;
  }

  /// Whether the packs are there, of the right size. Gives those that are there.
  std::vector<Id> compare_packs(const IndexTable& table) {
    auto stored = table.stored;
    std::vector<Id> present;
    for (const auto& [id, blobs] : table.packs) {
      ++report_.packs;
      const auto found = stored.find(id);
      if (found == stored.end()) {
        fail(fmt::format("pack {} is in an index, but not in the store", id.hex()));
        continue;
      }
      if (found->second != pack_size(blobs)) {
        fail(fmt::format("pack {} has {} bytes; by the index it has {}", id.hex(), found->second, pack_size(blobs)));
      }
      present.push_back(id);
      stored.erase(found);
    }
    report_.unindexed = stored.size();
    std::ranges::sort(present);
    return present;
  }

  void count(const IndexTable& table, const BlobSet& used) {
    report_.blobs = used.size();
    for (const auto& [id, blobs] : table.packs) {
      report_.unused += static_cast<std::size_t>(
          std::ranges::count_if(blobs, [&](const PackedBlob& blob) { return !used.contains(blob.type, blob.id); }));
    }
  }

  Task<void> read(Id id, const std::vector<PackedBlob>* indexed) {
    try {
      const auto bytes = co_await repository_.files().read(FileType::kPack, id);
      report_.bytes += bytes.size();
      const auto failures = co_await async::offload([&] { return damage_in(id, bytes, *indexed); });
      for (const auto& what : failures) fail(what);
    } catch (const Error& error) {
      if (error.code() != Code::kCorrupt && error.code() != Code::kNotFound) throw;
      fail(error.what());
    }
  }

  /// On the pool. The hash of the pack is right already: what is found here was written wrongly.
  std::vector<std::string> damage_in(const Id& id, const std::string& bytes,
                                     const std::vector<PackedBlob>& indexed) const {
    std::vector<std::string> failures;
    const auto name = repository_.files().name_of(FileType::kPack, id);
    try {
      if (read_pack(repository_.files().key(), bytes) != indexed) {
        failures.push_back(name + ": its header and the index name different blobs");
      }
    } catch (const Error& error) {
      failures.push_back(fmt::format("{}: {}", name, error.what()));
    }
    for (const auto& blob : indexed) {
      try {
        const Location at{id, blob.offset, blob.length, blob.plain_size, blob.compressed};
        const auto offset = std::min<std::size_t>(blob.offset, bytes.size());
        repository_.unseal(at, blob.type, blob.id, std::string_view(bytes).substr(offset, blob.length));
      } catch (const Error& error) {
        failures.emplace_back(error.what());
      }
    }
    return failures;
  }

  Repository& repository_;
  CheckReport report_;
};

}  // namespace

Task<CheckReport> check(Repository& repository, ReadData read_data) {
  Check check(repository);
  co_return co_await check.run(read_data);
}

}  // namespace mtc::restic
