#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "oci/registry.hpp"

namespace mtc::oci {

/// One end of a copy.
struct Place {
  RegistryPtr registry;
  std::string repository;
  std::string target = {};  ///< a tag or a digest
};

/// How far a copy has come.
struct CopyProgress {
  std::string doing;               ///< "copying sha256:… of shop/web"
  std::uint64_t bytes_copied = 0;  ///< of blobs; goes back where an upload starts over
  std::uint64_t bytes_total = 0;   ///< of all blobs that are known by now
  std::size_t blobs_done = 0;
  std::size_t blobs_total = 0;
};

/// What was done. A blob that several images of the copy share counts once.
struct CopyResult {
  Digest digest;  ///< of the manifest, the same on both sides
  std::size_t manifests = 0;
  std::uint64_t bytes_copied = 0;
  std::uint64_t bytes_mounted = 0;  ///< that the destination had in another repository
  std::uint64_t bytes_skipped = 0;  ///< that were there
  std::size_t blobs_copied = 0;
  std::size_t blobs_mounted = 0;
  std::size_t blobs_skipped = 0;
  std::size_t foreign_layers = 0;  ///< left where their urls say
};

struct CopyRequest {
  Place from;
  Place to;  ///< its target is a tag, or "" for the digest alone
  /// Repositories of the destination that may hold some of the blobs already.
  std::vector<std::string> mount_candidates = {};
  std::function<void(const CopyProgress&)> on_progress = {};  ///< called often: at each piece of a blob
};

/// Copies images between registries, with every instance of a list, bit for bit: digests stay. For tasks of one
/// Runtime; copies may run at once, and a blob that several need goes over the wire once, then it is mounted.
///
/// It remembers which repository of a destination holds what, so use one for all images of a migration; and forget it
/// after, for registries lose blobs when they are cleaned up.
class Copier {
 public:
  /// At most so many blobs travel at once, over all copies.
  explicit Copier(std::size_t parallel_blobs = 6);
  ~Copier();
  Copier(const Copier&) = delete;
  Copier& operator=(const Copier&) = delete;

  /// The manifest is put last, so a copy that fails or is cancelled leaves no tag that cannot be pulled, and a further
  /// one finds the blobs that have arrived. Throws what the registries throw, Error(kNotFound) naming what the source
  /// lacks, Error(kUnsupported) for manifests that cannot be copied (manifest.hpp).
  Task<CopyResult> copy(CopyRequest request);

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace mtc::oci
