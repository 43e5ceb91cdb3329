#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "async/scope.hpp"
#include "restic/repository.hpp"

namespace mtc::restic {

/// Where long content goes. Called on the pool, for several blobs at once, in any order.
class ContentTarget {
 public:
  ContentTarget() = default;
  virtual ~ContentTarget() = default;
  ContentTarget(const ContentTarget&) = delete;
  ContentTarget& operator=(const ContentTarget&) = delete;

  /// False once it has failed and says so elsewhere: nothing more is asked for.
  virtual bool is_open() = 0;
  /// Whether the blob's bytes are there already; then nothing is written there.
  virtual bool holds(std::uint64_t offset, std::uint64_t size, const Id& blob) = 0;
  virtual void write(std::uint64_t offset, std::string_view content) = 0;
};

/// The blobs of content, and how long each is.
struct Blobs {
  const std::vector<Id>* ids = nullptr;
  const std::vector<std::uint32_t>* sizes = nullptr;
};

/// Blobs of content that follow one another.
struct BlobRun {
  std::size_t first = 0;
  std::size_t end = 0;
  std::uint64_t offset = 0;  ///< of the first, in the content
};
/// Runs of some 32 MiB each, which together are all of them.
std::vector<BlobRun> runs_of(const std::vector<std::uint32_t>& sizes);

/// The size of each blob of a file. Throws Error(kCorrupt) if the repository lacks one, or they do not make up the
/// file. `path` is for messages.
std::vector<std::uint32_t> sizes_of(const Repository& repository, const std::vector<Id>& content, std::uint64_t size,
                                    const std::string& path);

/// Brings content to where it goes; what is there already is not asked for. `requests` as of Fetch. Throws what Fetch
/// and the target throw.
Task<void> restore_content(Repository* repository, async::Semaphore* requests, ContentTarget* to, Blobs blobs);

}  // namespace mtc::restic
