#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "blob/store.hpp"
#include "restic/crypto.hpp"
#include "restic/id.hpp"

namespace mtc::restic {

enum class FileType { kPack, kKey, kLock, kSnapshot, kIndex };

/// "pack", "key", "lock", "snapshot", "index".
std::string_view to_string(FileType type);

/// Where the files of a repository lie: the layout that restic calls "default", the same in folders and buckets.
class Layout {
 public:
  explicit Layout(std::string prefix);
  std::string config() const { return prefix_ + "config"; }
  /// "data/", where all files of a type lie.
  std::string folder(FileType type) const;
  std::string file(FileType type, const Id& id) const;

 private:
  std::string prefix_;  ///< "" or with "/" at its end
};

struct FileInfo {
  Id id;
  std::uint64_t size = 0;
};

/// A JSON document as a file holds it: compressed from format 2 on, encrypted. For a pool, where it is large.
std::string seal_document(const Key& key, unsigned version, std::string_view text);
/// Throws Error(kCorrupt).
std::string unseal_document(const Key& key, std::string_view sealed);

/// The files of a repository other than its config, each named by the hash of its bytes.
class Files {
 public:
  Files(blob::StorePtr store, std::string prefix, Key key, unsigned version);

  /// What lies in the type's folder under the name of an Id; anything else is none of ours.
  Task<std::vector<FileInfo>> list(FileType type);
  /// The bytes of a file. Throws Error: kNotFound, kCorrupt (other bytes than its name says).
  Task<std::string> read(FileType type, Id id);
  /// `length` bytes of a pack. Throws Error: kNotFound, kCorrupt if it ends before.
  Task<std::string> read_part(Id pack, std::uint64_t offset, std::uint64_t length);
  Task<void> write(FileType type, Id id, std::string bytes);
  Task<void> remove(FileType type, Id id);

  /// The text of an index, snapshot or lock. Throws as read().
  Task<std::string> load_document(FileType type, Id id);
  Task<Id> save_document(FileType type, std::string text);

  const blob::StorePtr& store() const { return store_; }
  const Key& key() const { return key_; }
  /// Of the format.
  unsigned version() const { return version_; }
  /// "snapshot 12ab34cd of folder /backups", for messages.
  std::string name_of(FileType type, const Id& id) const;

 private:
  blob::StorePtr store_;
  Layout layout_;
  Key key_;
  unsigned version_;
};

}  // namespace mtc::restic
