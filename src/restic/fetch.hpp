#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/scope.hpp"
#include "restic/repository.hpp"

namespace mtc::restic {

/// Where a blob's content belongs: the receiver's own number, and an offset there.
struct Target {
  std::size_t file = 0;
  std::uint64_t offset = 0;
};

/// Data blobs that are read together: each once, in the order of the packs, neighbours with one request.
class Fetch {
 public:
  /// Takes content that is proven to be the blob's; called on pool threads, for several blobs at once.
  using Deliver = std::function<void(const Target& target, std::string_view content)>;

  /// Requests of all fetches that share `requests` take a permit each: it bounds their memory, kRange each and what
  /// that unpacks to.
  Fetch(Repository& repository, async::Semaphore& requests) : repository_(&repository), requests_(&requests) {}

  /// Throws Error(kCorrupt) if no index knows the blob.
  void add(const Id& id, Target target);
  bool empty() const { return blobs_.empty(); }
  /// Reads and delivers. Throws Error: kNotFound or kCorrupt for what is missing or damaged, and what the store says.
  Task<void> run(Deliver deliver);

 private:
  static constexpr std::uint64_t kRange = 8ULL * 1024 * 1024;
  static constexpr std::uint64_t kGap = 128ULL * 1024;  ///< reading so much more is cheaper than another request

  struct Blob {
    Id id;
    Location location;
    std::vector<Target> targets;
  };
  struct Range {
    std::size_t first = 0;  ///< of blobs_
    std::size_t count = 0;
  };
  std::vector<Range> ranges();
  Task<void> read(Range range, const Deliver* deliver);

  Repository* repository_;
  async::Semaphore* requests_;
  std::vector<Blob> blobs_;
  std::unordered_map<Id, std::size_t, IdHash> known_;
};

}  // namespace mtc::restic
