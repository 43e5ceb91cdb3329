#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/retry.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "net/connect.hpp"
#include "oci/credentials.hpp"
#include "oci/digest.hpp"
#include "oci/manifest.hpp"

namespace mtc::oci {

/// A manifest as it lies in a registry: the digest is that of these bytes, so they are kept as they are.
struct StoredManifest {
  std::string media_type;
  std::string bytes;
  Digest digest;
};

struct TagPage {
  std::vector<std::string> tags;
  std::string next;  ///< what to ask for the next page with; "" on the last one
};

/// A streamed read of a blob.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  /// The next bytes (valid until the next call); empty at the end. Connections that break are taken up again where they
  /// were. Throws Error(kCorrupt) at the end if the bytes are not what the digest names, or as soon as they are too
  /// many.
  virtual Task<std::string_view> read() = 0;
};
using BlobReaderPtr = std::unique_ptr<BlobReader>;

/// Opens the bytes of a blob from `offset` on; called again when an upload has to be taken up earlier.
using BlobOrigin = std::function<Task<BlobReaderPtr>(std::uint64_t offset)>;

/// A registry of images (the OCI distribution protocol, and Docker's before it). For tasks of one Runtime; methods may
/// run concurrently. `target` is a tag or a digest.
///
/// Failures: kUnauthorized and kForbidden for credentials, kNotFound for a repository that is not there, kThrottled,
/// kUnavailable, kTimeout, kTls; kUnsupported for what is no registry; kCorrupt for bytes that are not what their
/// digest says. They name registry, repository and what was being done, and hold no secrets. Transient ones were
/// retried before they come out.
class Registry {
 public:
  virtual ~Registry() = default;
  /// Whether it is there, speaks the protocol and lets us in; else throws.
  virtual Task<void> ping() = 0;

  /// The digest of a manifest; nullopt if absent. Asked of the whole manifest where the registry does not tell it.
  virtual Task<std::optional<Digest>> head_manifest(std::string repository, std::string target) = 0;
  /// nullopt if absent. Error(kCorrupt) beyond kMaxManifestBytes.
  virtual Task<std::optional<StoredManifest>> get_manifest(std::string repository, std::string target) = 0;
  /// Stores it under its digest, and under the tag if `target` is one. The registry must hold what belongs to it.
  virtual Task<void> put_manifest(std::string repository, std::string target, StoredManifest manifest) = 0;
  /// An absent manifest is fine. Error(kUnsupported) where the registry does not delete.
  virtual Task<void> delete_manifest(std::string repository, Digest digest) = 0;

  /// The size of a blob; nullopt if absent.
  virtual Task<std::optional<std::uint64_t>> head_blob(std::string repository, Digest digest) = 0;
  /// Reads from `offset` on, of `blob.size` bytes; what is read from the beginning is held against the digest. Throws
  /// Error(kNotFound) if absent.
  virtual Task<BlobReaderPtr> open_blob(std::string repository, Descriptor blob, std::uint64_t offset = 0) = 0;
  /// Makes a blob of the repository `from` one of `repository` too. False if the registry would not.
  virtual Task<bool> mount_blob(std::string repository, Digest digest, std::string from) = 0;
  /// Uploads it in a stream. An upload whose connection breaks goes on where the registry says it is, and starts over
  /// if it was forgotten. `on_progress` is told the bytes that have gone out so far; starting over takes them back.
  virtual Task<void> put_blob(std::string repository, Descriptor blob, BlobOrigin origin,
                              std::function<void(std::uint64_t)> on_progress = {}) = 0;

  /// At most a thousand tags, sorted by the registry; `next` as the page before says. Error(kNotFound) for a repository
  /// that is not there.
  virtual Task<TagPage> tags(std::string repository, std::string next = "") = 0;

  /// "registry quay.io", for messages.
  virtual std::string describe() const = 0;
};
using RegistryPtr = std::shared_ptr<Registry>;

/// What a client will do: tokens are asked for that much.
enum class Access { kPull, kPush };
enum class Security {
  kVerified,
  kInsecure,  ///< certificates are not checked, and plain HTTP is spoken with a registry that speaks no TLS
};

struct RegistryOptions {
  std::string host;  ///< as in a Reference: "quay.io", "10.0.0.1:5000"; "http://…" for plain HTTP
  Access access = Access::kPull;
  Security security = Security::kVerified;
  std::string ca_pem = {};                   ///< also for hosts that it redirects to; empty = the system's roots
  std::vector<Credential> credentials = {};  ///< tried in turn; empty = anonymous
  std::size_t concurrent_requests = 64;      ///< open readers count; requests beyond wait their turn
  Duration silence_limit = std::chrono::seconds(60);  ///< of a connection
  Duration answer_limit = std::chrono::minutes(5);    ///< a large blob takes its time to be put in its place
  async::Backoff backoff = {.base = std::chrono::milliseconds(200), .cap = std::chrono::seconds(10), .max_attempts = 6};
  std::uint64_t upload_chunk = 0;    ///< bytes of a request; 0 = a blob is one request
  net::ConnectorPtr connector = {};  ///< null = TCP, through the environment's proxy
  const Clock* clock = nullptr;      ///< null = the machine's
  Rng* rng = nullptr;                ///< null = the system's
};
/// Throws Error(kInvalid) for a host that is none, Error(kTls) for a bad CA; sends nothing yet.
RegistryPtr make_registry(RegistryOptions options);

}  // namespace mtc::oci
