#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "blob/store.hpp"
#include "restic/blob.hpp"
#include "restic/id.hpp"

namespace mtc::restic {

class Files;
class Index;

/// Of data blobs; trees and documents are always compressed, as restic does in format 2.
enum class Compression { kAuto, kOff };

struct RepositoryOptions {
  Compression compression = Compression::kAuto;
  std::uint64_t pack_size = 16 * 1024 * 1024;  ///< a pack is uploaded once it has so many bytes
  unsigned uploads = 4;                        ///< packs on their way at once; each is held in memory
  const Clock* clock = nullptr;                ///< null = the machine's
};

/// A restic repository of format 1 (read) or 2 (read and written), below a prefix of a store
/// (restic.readthedocs.io/en/stable/100_references.html). For tasks of one Runtime, except where it says "any thread".
///
/// Everything that is read is authenticated and bounded; what does not fit is Error(kCorrupt) and names the file. The
/// Errors of the store pass through.
class Repository {
 public:
  using Location = restic::Location;

  /// Makes the key and the config of a new repository. Throws Error(kAlreadyExists) if there is one already. `prefix`
  /// may be empty, and needs no "/" at its end.
  static Task<void> create(blob::StorePtr store, std::string prefix, Secret password);
  static Task<bool> exists(blob::StorePtr store, std::string prefix);
  /// Throws Error: kNotFound (none there), kUnauthorized (no key for this password), kCorrupt, kUnsupported (a format
  /// that we do not know).
  static Task<std::shared_ptr<Repository>> open(blob::StorePtr store, std::string prefix, Secret password,
                                                RepositoryOptions options = {});
  ~Repository();

  /// For the chunker: irreducible over GF(2), of degree 53. Any thread.
  std::uint64_t chunker_polynomial() const;
  /// "restic repository at s3://…/prefix", for messages. Any thread.
  std::string describe() const;

  /// Reads every index file that was not read yet. Before it, no blob of earlier runs is known. Blobs of packs that are
  /// absent or cut count as not stored, so that a backup stores them again. List the snapshots first: one that is saved
  /// in between may need an index that was not there yet.
  Task<void> load_index();

  /// Whether the blob is stored, or claimed by this process (and stored after flush()). Any thread.
  bool knows(BlobType type, const Id& id) const;
  /// Claims, compresses and encrypts a blob; nullopt if it is known already. `id` is the Id of `plain`. What it gives
  /// must be handed to add(). Throws Error(kInvalid) for a blob beyond the limits of the format. Any thread.
  std::optional<Sealed> seal(BlobType type, const Id& id, std::string_view plain);
  /// Puts sealed blobs into packs. The task whose blobs fill a pack uploads it and returns afterwards, so memory is
  /// bounded and failures reach who caused them; call it from several tasks, and as many uploads run at once (at most
  /// `uploads`). After a failure the repository takes no more (Error, the same) and is to be opened again.
  Task<void> add(std::vector<Sealed> blobs);
  /// Uploads what was added and not uploaded, and the index of it. When it returns, all that was added before can be
  /// found by everybody, and a snapshot may refer to it.
  Task<void> flush();

  /// The plaintext of a blob. Throws Error: kNotFound (in no index, or its pack is absent), kCorrupt (also if its
  /// content has another Id).
  Task<std::string> load(BlobType type, Id id);
  /// nullopt if it is in no pack that an index names (yet). Any thread.
  std::optional<Location> locate(BlobType type, const Id& id) const;
  /// Raw bytes of a pack, for unseal() of many blobs with one request. Throws Error: kNotFound, kCorrupt (shorter than
  /// asked).
  Task<std::string> read_pack(Id pack, std::uint64_t offset, std::uint64_t length);
  /// The plaintext of a blob from the `length` bytes at its location. Throws Error(kCorrupt). Any thread.
  std::string unseal(const Location& location, BlobType type, const Id& id, std::string_view sealed) const;

  /// What snapshots, locks, check and prune are made of.
  Files& files();
  Index& index();
  const Clock& clock() const;

 private:
  struct Parts;
  explicit Repository(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace mtc::restic
