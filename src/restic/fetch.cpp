#include "restic/fetch.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "async/runtime.hpp"
#include "base/error.hpp"

namespace mtc::restic {

void Fetch::add(const Id& id, Target target) {
  const auto [known, fresh] = known_.try_emplace(id, blobs_.size());
  if (fresh) {
    const auto location = repository_->locate(BlobType::kData, id);
    if (!location) throw Error(Code::kCorrupt, "the repository lacks the data " + id.brief());
    blobs_.push_back({id, *location, {}});
  }
  blobs_[known->second].targets.push_back(target);
}

/// Sorts the blobs by where they lie, and says which go with one request.
std::vector<Fetch::Range> Fetch::ranges() {
  std::ranges::sort(blobs_, {}, [](const Blob& blob) { return std::tie(blob.location.pack, blob.location.offset); });
  std::vector<Range> out;
  for (std::size_t i = 0; i < blobs_.size(); ++i) {
    const auto& next = blobs_[i].location;
    if (!out.empty()) {
      const auto& first = blobs_[out.back().first].location;
      const auto& last = blobs_[i - 1].location;
      const bool near = first.pack == next.pack && next.offset <= last.offset + last.length + kGap;
      if (near && next.offset + next.length - first.offset <= kRange) {
        ++out.back().count;
        continue;
      }
    }
    out.push_back({i, 1});
  }
  return out;
}

Task<void> Fetch::read(Range range, const Deliver* deliver) {
  const auto permit = co_await requests_->acquire();
  const auto& first = blobs_[range.first].location;
  const auto& last = blobs_[range.first + range.count - 1].location;
  const auto bytes =
      co_await repository_->read_pack(first.pack, first.offset, last.offset + last.length - first.offset);
  co_await async::offload([&] {
    for (std::size_t i = range.first; i < range.first + range.count; ++i) {
      const auto& blob = blobs_[i];
      const auto sealed = std::string_view(bytes).substr(blob.location.offset - first.offset, blob.location.length);
      const auto plain = repository_->unseal(blob.location, BlobType::kData, blob.id, sealed);
      for (const auto& target : blob.targets) (*deliver)(target, plain);
    }
  });
}

Task<void> Fetch::run(Deliver deliver) {
  const auto all = ranges();
  std::vector<Task<void>> reading;
  reading.reserve(all.size());
  for (const auto& range : all) reading.push_back(read(range, &deliver));
  co_await async::all(std::move(reading));
}

}  // namespace mtc::restic
