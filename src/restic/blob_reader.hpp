#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "restic/blob.hpp"

namespace mtc::restic {

class Repository;

/// A blob that is to be read.
struct WantedBlob {
  BlobKey key;
  Location at;
};

struct BlobSink {
  /// What was read, in no order. Called on the pool, several calls at once.
  std::function<void(const WantedBlob& blob, std::string_view sealed, std::string plain)> take;
  /// A blob that is damaged or absent (kCorrupt, kNotFound). Called by the loop.
  std::function<void(const WantedBlob& blob, const Error& why)> failed;
};

/// Reads blobs; those that lie near one another in a pack with one request. At most `width` requests run at once, each
/// of up to 8 MiB or one blob. Throws the Errors of the store, and what `take` throws.
Task<void> read_blobs(Repository* repository, std::vector<WantedBlob> blobs, std::size_t width, BlobSink sink);

}  // namespace mtc::restic
