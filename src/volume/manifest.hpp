#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.hpp"
#include "base/hash.hpp"
#include "volume/progress.hpp"
#include "volume/report.hpp"
#include "volume/spool.hpp"

namespace mtc::volume {

/// What the manifest says of one name: everything that a copy must keep.
struct Record {
  Entry entry;          ///< without the marks `sparse` and `shared`: how many blocks a file takes is not its content
  std::string content;  ///< of a file: its ContentHash, 32 bytes; "" if it could not be read
  std::string first;    ///< the first name of the same file in the order of the scan; "" if this is it
  bool operator==(const Record&) const = default;
};
/// Records of one directory, in order; a large directory comes in several blocks.
struct Block {
  std::string path;
  std::vector<Record> records;
};
std::string encode(const Block& block);
/// Throws Error(kCorrupt).
Block decode_block(std::string_view bytes);

/// The hashes of a batch's contents, by segment and entry.
using Digests = std::vector<std::vector<std::string>>;

/// A tree's records in the order of its scan, kept on disk.
class Manifest {
 public:
  /// In any order, from any thread.
  void add(const Batch& batch, const Digests& digests);
  /// All batches were added; reading starts from the beginning.
  void seal();
  /// The next blocks (those of one batch); nothing at the end.
  std::optional<std::vector<Block>> next();

 private:
  Spool spool_;
  std::size_t at_ = 0;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> firsts_;
};

/// The Merkle root of a tree: a directory's hash is SHA-256 over the hash of its records and the hashes of its
/// directories in order. Takes the blocks in order.
class TreeHash {
 public:
  void add(const Block& block);
  /// 32 bytes.
  std::string finish(const Entry& root);

 private:
  struct Level {
    std::string path;
    Sha256 records;
    Sha256 directories;
  };
  void close_last();
  std::vector<Level> levels_;
  std::string last_;
};

/// Which differences are no failure; they are counted as excused.
struct Leniency {
  /// Owners, modes, attributes and devices, and the root's time, which a destination without privileges cannot keep.
  bool losses = false;
  bool anything = false;
  std::set<std::string, std::less<>>
      changed;  ///< these names and what lies below them: they changed while they were sent

  /// `what` as in Difference.
  bool excuses(std::string_view path, std::string_view what) const;
};

/// Compares the source's records with the destination's as both stream by.
class Comparison {
 public:
  Comparison(Manifest& destination, Report& report, Leniency leniency = {})
      : mine_(&destination), report_(&report), leniency_(std::move(leniency)) {}
  /// The source's next block, in order.
  void add(const Block& source);
  /// One record of each side; how they differ goes into the report.
  void compare(const Record& source, const Record& destination, const std::string& path);
  void end();
  /// Compares one record; "" if equal, else what differs.
  static std::string difference(const Record& source, const Record& destination);
  /// The destination's root hash, after end().
  std::string destination_root(const Entry& root) { return hash_.finish(root); }

 private:
  bool load();
  void report(const Record& record, std::string path, std::string what);

  Manifest* mine_;
  Report* report_;
  Leniency leniency_;
  TreeHash hash_;
  std::vector<Block> blocks_;
  std::size_t block_ = 0;
  std::size_t record_ = 0;
};

/// Looks at the names of a batch, as look_at does, and hashes its files. With `past_cache` as the disk has them: what
/// was synced is dropped from the page cache first. Blocks; any thread.
Digests read_batch(const Tree& tree, Batch& batch, bool past_cache);
/// Reads a whole tree with `width` batches at a time; what cannot be read is noted in `report` as a failure.
Task<void> read_manifest(const Tree* tree, std::size_t width, bool past_cache, Manifest* into, Report* report,
                         Progress* progress);

}  // namespace mtc::volume
