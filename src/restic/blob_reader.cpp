#include "restic/blob_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "restic/repository.hpp"

namespace mtc::restic {
namespace {

/// What lies between two blobs is read with them rather than asked around.
constexpr std::uint64_t kGap = 64 * 1024;
constexpr std::uint64_t kRequest = 8 * 1024 * 1024;

using Group = std::span<const WantedBlob>;

std::uint64_t end_of(const WantedBlob& blob) { return blob.at.offset + blob.at.length; }

/// Neighbours in packs; `blobs` are sorted by place.
std::vector<Group> groups_of(const std::vector<WantedBlob>& blobs) {
  std::vector<Group> groups;
  for (std::size_t from = 0, to = 1; from < blobs.size(); from = to++) {
    auto end = end_of(blobs[from]);
    for (; to < blobs.size(); ++to) {
      const auto& next = blobs[to];
      if (next.at.pack != blobs[from].at.pack || next.at.offset > end + kGap ||
          std::max(end, end_of(next)) - blobs[from].at.offset > kRequest) {
        break;
      }
      end = std::max(end, end_of(next));
    }
    groups.push_back(Group(blobs).subspan(from, to - from));
  }
  return groups;
}

bool damaged(const Error& error) { return error.code() == Code::kCorrupt || error.code() == Code::kNotFound; }

/// Unseals on the pool; gives back the blobs that are damaged.
std::vector<std::pair<const WantedBlob*, Error>> unseal_group(const Repository& repository, Group group,
                                                              std::string_view bytes, const BlobSink& sink) {
  std::vector<std::pair<const WantedBlob*, Error>> failures;
  for (const auto& blob : group) {
    const auto sealed = bytes.substr(blob.at.offset - group.front().at.offset, blob.at.length);
    std::optional<std::string> plain;
    try {
      plain = repository.unseal(blob.at, blob.key.type, blob.key.id, sealed);
    } catch (const Error& error) {
      if (!damaged(error)) throw;
      failures.emplace_back(&blob, error);
    }
    if (plain) sink.take(blob, sealed, std::move(*plain));
  }
  return failures;
}

Task<void> read_group(Repository* repository, Group group, const BlobSink* sink) {
  std::uint64_t end = 0;
  for (const auto& blob : group) end = std::max(end, end_of(blob));
  const auto offset = group.front().at.offset;
  std::optional<Error> failure;
  std::string bytes;
  try {
    bytes = co_await repository->read_pack(group.front().at.pack, offset, end - offset);
  } catch (const Error& error) {
    if (!damaged(error)) throw;
    failure = error;
  }
  if (!failure) {
    const auto failures = co_await async::offload([&] { return unseal_group(*repository, group, bytes, *sink); });
    for (const auto& [blob, why] : failures) sink->failed(*blob, why);
  } else if (group.size() == 1) {
    sink->failed(group.front(), *failure);
  } else {  // Of a pack that was cut, each blob is in what is left, or not.
    for (std::size_t i = 0; i < group.size(); ++i) co_await read_group(repository, group.subspan(i, 1), sink);
  }
}

}  // namespace

Task<void> read_blobs(Repository* repository, std::vector<WantedBlob> blobs, std::size_t width, BlobSink sink) {
  std::ranges::sort(blobs, {}, [](const WantedBlob& blob) { return std::tie(blob.at.pack, blob.at.offset); });
  const auto groups = groups_of(blobs);
  co_await async::parallel_for(groups.size(), width,
                               [&](std::size_t i) { return read_group(repository, groups[i], &sink); });
}

}  // namespace mtc::restic
