#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"

namespace mtc::blob {

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;  ///< opaque; "" where the store has none
  Time modified{};
};

/// Bytes [offset, offset + length); length nullopt = to the end.
struct Range {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
};

struct ListPage {
  std::vector<ObjectInfo> objects;    ///< sorted by key (UTF-8 binary)
  std::vector<std::string> prefixes;  ///< common prefixes, if a delimiter was given
  std::string next;                   ///< continuation; "" on the last page
};

/// A streamed read.
class Reader {
 public:
  virtual ~Reader() = default;
  /// The next bytes (valid until the next call); empty at the end. A body shorter than announced is
  /// Error(kUnavailable).
  virtual Task<std::string_view> read() = 0;
  virtual const ObjectInfo& info() const = 0;
};

/// A streamed write. Nothing is visible under the key until commit() returns; dropping it uncommitted leaves nothing
/// behind (an abandoned multipart upload is aborted, best effort).
class Writer {
 public:
  virtual ~Writer() = default;
  virtual Task<void> write(std::string_view data) = 0;
  virtual Task<ObjectInfo> commit() = 0;
  /// Gives up and cleans up now.
  virtual Task<void> abort() = 0;
};

/// An object store: a flat map from keys to bytes. The seam of all bucket I/O; for tasks of one Runtime; methods may
/// run concurrently.
///
/// Keys are UTF-8, 1 to 1024 bytes, without NUL, and without "." or ".." as a path segment; anything else is
/// Error(kInvalid). Failures: kNotFound for an absent bucket, kForbidden and kUnauthorized for credentials, kThrottled,
/// kUnavailable, kTimeout, kTls. Transient failures were retried before they come out. Reads after writes see them.
class Store {
 public:
  virtual ~Store() = default;
  /// nullopt if absent.
  virtual Task<std::optional<ObjectInfo>> head(std::string key) = 0;
  /// nullptr if absent. Error(kInvalid) for a range beyond the end.
  virtual Task<std::unique_ptr<Reader>> open(std::string key, Range range = {}) = 0;
  /// Publishes `bytes` at once.
  virtual Task<ObjectInfo> put(std::string key, std::string bytes) = 0;
  virtual Task<std::unique_ptr<Writer>> create(std::string key) = 0;
  /// At most 1000 objects and prefixes. `delimiter` "" = all keys below prefix; "/" = one level.
  virtual Task<ListPage> list(std::string prefix, std::string delimiter = "", std::string next = "") = 0;
  /// An absent key is fine.
  virtual Task<void> remove(std::string key) = 0;
  /// "s3://bucket at https://…", for messages.
  virtual std::string describe() const = 0;
};
using StorePtr = std::shared_ptr<Store>;

/// The whole object; nullopt if absent; Error(kCorrupt) beyond `limit` bytes.
Task<std::optional<std::string>> read_all(Store& store, std::string key, std::uint64_t limit = 64 * 1024 * 1024);
/// Removes every key below `prefix` (not empty).
Task<void> remove_prefix(Store& store, std::string prefix);
/// Writes, reads back, lists and removes a small object under `prefix`: proves that credentials, bucket, clock and TLS
/// are right. Throws the Error of the step that failed, with the step and a remedy in its text.
Task<void> probe(Store& store, std::string prefix, std::string unique_name);

StorePtr make_memory_store();
/// Files under `folder`, published by rename. Safe for several processes.
StorePtr make_directory_store(std::string folder);

}  // namespace mtc::blob
