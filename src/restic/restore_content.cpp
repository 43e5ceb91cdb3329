#include "restic/restore_content.hpp"

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "restic/fetch.hpp"
#include "volume/file_error.hpp"

namespace mtc::restic {
namespace {

constexpr std::uint64_t kRun = 32ULL * 1024 * 1024;  ///< of content, that is asked for at once
constexpr std::size_t kRunsAtOnce = 2;               ///< so that the end of one does not wait for its last request

/// Asks for the blobs of a run that are not here yet.
void fill(Fetch& fetch, ContentTarget& to, const Blobs& blobs, BlobRun run) {
  for (auto at = run.first; at < run.end; ++at) {
    const auto& id = (*blobs.ids)[at];
    const auto size = (*blobs.sizes)[at];
    if (!to.holds(run.offset, size, id)) fetch.add(id, {0, run.offset});
    run.offset += size;
  }
}

Task<void> restore_run(Repository* repository, async::Semaphore* requests, ContentTarget* to, Blobs blobs,
                       BlobRun run) {
  if (!to->is_open()) co_return;
  Fetch fetch(*repository, *requests);
  co_await async::offload([&] { fill(fetch, *to, blobs, run); });
  co_await fetch.run([to](const Target& target, std::string_view bytes) { to->write(target.offset, bytes); });
}

}  // namespace

std::vector<BlobRun> runs_of(const std::vector<std::uint32_t>& sizes) {
  std::vector<BlobRun> runs;
  std::uint64_t offset = 0;
  for (std::size_t at = 0; at < sizes.size(); ++at) {
    if (runs.empty() || offset - runs.back().offset >= kRun) runs.push_back({at, at, offset});
    runs.back().end = at + 1;
    offset += sizes[at];
  }
  return runs;
}

std::vector<std::uint32_t> sizes_of(const Repository& repository, const std::vector<Id>& content, std::uint64_t size,
                                    const std::string& path) {
  std::vector<std::uint32_t> sizes;
  sizes.reserve(content.size());
  std::uint64_t total = 0;
  for (const auto& id : content) {
    const auto location = repository.locate(BlobType::kData, id);
    if (!location) {
      throw Error(Code::kCorrupt,
                  fmt::format("the repository lacks data of {}: blob {}", volume::printable(path), id.brief()));
    }
    sizes.push_back(location->plain_size);
    total += location->plain_size;
  }
  if (total == size) return sizes;
  throw Error(Code::kCorrupt, fmt::format("the snapshot says that {} has {} bytes, and {} are its content",
                                          volume::printable(path), size, total));
}

Task<void> restore_content(Repository* repository, async::Semaphore* requests, ContentTarget* to, Blobs blobs) {
  const auto runs = runs_of(*blobs.sizes);
  co_await async::parallel_for(runs.size(), kRunsAtOnce,
                               [&](std::size_t i) { return restore_run(repository, requests, to, blobs, runs[i]); });
}

}  // namespace mtc::restic
