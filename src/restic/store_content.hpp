#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "async/scope.hpp"
#include "restic/content_windows.hpp"
#include "restic/repository.hpp"
#include "volume/read_pace.hpp"

namespace mtc::restic {

/// The blob of which long runs of zeros are made: whoever knows it need not hash them.
struct ZeroBlob {
  explicit ZeroBlob(const Chunker& chunker);
  /// Whether a blob's plaintext is this one.
  bool is(std::string_view plain) const;

  std::size_t size = 0;
  Id id;
};

/// How long content is put into a repository.
struct Storing {
  static constexpr std::size_t kWindowsAtOnce = 3;  ///< one is read while others are sealed and uploaded

  Repository* repository = nullptr;
  const ZeroBlob* zeros = nullptr;
  async::Semaphore* windows = nullptr;  ///< each window on its way takes a permit: it bounds their memory
  volume::ReadPace* reads = nullptr;    ///< kept between windows, if not null
  /// Hears of each blob that is in the repository, or on its way there: how long it is, and whether it was new.
  std::function<void(std::uint64_t size, bool is_new)> stored;
};
/// Stores the windows that `next` gives, until one is empty; `next` is called on the pool, one call at a time. Returns
/// the blobs in order. Throws the Errors of the repository, and what `next` throws.
Task<std::vector<Id>> store_content(Storing how, std::function<ContentWindow()> next);

}  // namespace mtc::restic
