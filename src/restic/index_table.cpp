#include "restic/index_table.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "restic/files.hpp"
#include "restic/index.hpp"
#include "restic/index_file.hpp"
#include "restic/repository.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kAtOnce = 4;

bool comes_before(const PackedBlob& a, const PackedBlob& b) {
  return std::tie(a.offset, a.id, a.type) < std::tie(b.offset, b.id, b.type);
}

/// Two files may name the same pack, one of them only some of its blobs.
void merge(std::vector<PackedBlob>& into, std::vector<PackedBlob> blobs) {
  into.insert(into.end(), blobs.begin(), blobs.end());
  std::ranges::sort(into, comes_before);
  const auto same = std::ranges::unique(into);
  into.erase(same.begin(), same.end());
}

Task<void> load(Repository* repository, Id id, IndexTable* table, const std::function<void(std::string)>* failed) {
  std::optional<IndexFile> file;
  try {
    file = co_await load_index_file(repository->files(), id);
  } catch (const Error& error) {
    if (error.code() != Code::kCorrupt && error.code() != Code::kNotFound) throw;
    (*failed)(error.what());
  }
  if (!file) co_return;
  auto& packs = table->files[id];
  for (auto& pack : file->packs) {
    if (is_whole(pack.id, pack.blobs, table->stored)) repository->index().add(pack.id, pack.blobs);
    packs.push_back(pack.id);
    merge(table->packs[pack.id], std::move(pack.blobs));
  }
}

}  // namespace

Task<IndexTable> load_index_table(Repository* repository, std::function<void(std::string)> failed) {
  IndexTable table{.stored = co_await pack_sizes(repository->files())};
  const auto files = co_await repository->files().list(FileType::kIndex);
  co_await async::parallel_for(files.size(), kAtOnce,
                               [&](std::size_t i) { return load(repository, files[i].id, &table, &failed); });
  co_return table;
}

}  // namespace mtc::restic
