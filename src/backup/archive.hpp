#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "blob/store.hpp"
#include "json/fwd.hpp"
#include "kube/resource.hpp"

namespace mtc::backup {

/// Writes Velero's archive (velero.md §2.4): gzip'd tar of one JSON file an object, each under its plain and its
/// versioned path, mode 0755. Streams: memory stays at about a megabyte whatever is added. Not for concurrent use.
class ArchiveWriter {
 public:
  explicit ArchiveWriter(std::unique_ptr<blob::Writer> out);
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  /// `object` was listed as `type`; its paths come from the type and its metadata.
  Task<void> add(kube::ResourceType type, const Json* object);
  /// Ends the archive and publishes it.
  Task<void> commit();

 private:
  Task<void> add_file(std::string path, std::string content);
  Task<void> flush();
  struct State;
  std::unique_ptr<State> state_;
};

/// One object of an archive; its JSON is read from disk when asked for.
struct ArchivedObject {
  std::string group_resource;  ///< "deployments.apps"
  std::string ns;              ///< "" for cluster-scoped
  std::string name;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// What a stranger's archive may hold.
struct ArchiveLimits {
  std::size_t entries = 2'000'000;
  std::uint64_t entry_bytes = 64ull * 1024 * 1024;
  std::uint64_t total_bytes = 16ull * 1024 * 1024 * 1024;  ///< packed, and unpacked with what is passed over
};

/// An archive that was fetched, unpacked into an unlinked temporary file and indexed. Paths that climb out, other entry
/// types and version directories are left out, as Velero does (velero.md §2.4); an archive beyond the limits is
/// Error(kCorrupt).
class Archive {
 public:
  static Task<std::unique_ptr<Archive>> fetch(blob::Store* store, std::string key, ArchiveLimits limits = {});
  ~Archive();
  const std::vector<ArchivedObject>& objects() const;
  /// Throws Error(kCorrupt) naming the object if it is no JSON object.
  Json read(const ArchivedObject& object) const;

 private:
  Archive();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mtc::backup
