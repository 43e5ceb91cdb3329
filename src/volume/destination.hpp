#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "volume/file_error.hpp"
#include "volume/progress.hpp"
#include "volume/report.hpp"
#include "volume/spool.hpp"
#include "volume/tree.hpp"
#include "volume/wire.hpp"

namespace mtc::volume {

class LargeFile;

/// The tree that is made equal to the source. Blocks; any threads at once. What one entry lacks is noted in the report;
/// an Error that ends the run is thrown (no space or quota, and what would help: see with_room(); read-only; I/O).
class Destination {
 public:
  /// Makes `root` if it is missing (its parent must exist). `progress` outlives this.
  Destination(std::string root, Wishes wishes, Progress* progress);

  /// Makes the directories, links, devices and attributes of a batch, removes extras, and says which contents are
  /// wanted.
  std::vector<Wanted> prepare(const Listed& listed);
  /// Stores the small files of a kFiles message.
  void store(const Listed& listed, std::string_view files);
  /// Opens a large file for comparing and writing.
  std::unique_ptr<LargeFile> open_large(const Segment& segment, const Entry& entry);
  /// Makes hard links; all contents are in place.
  void link(const std::vector<Link>& links);
  /// Gives the directories their attributes, the deepest first, removes what broken runs left, and brings everything to
  /// the disk. Returns the report.
  Report finish(const Entry& root);

  const Tree& tree() const { return tree_; }

 private:
  friend class LargeFile;
  using Names = std::shared_ptr<const std::vector<Name>>;
  /// A directory that small files are written to.
  struct OpenDirectory {
    Fd fd;
    std::optional<std::uint32_t> segment;
    std::map<std::uint32_t, Entry> fresh;  ///< what a new file of this mode is here: owner, mode, inherited attributes
  };

  Names names_of(const Segment& segment, int directory);
  void prepare_segment(const Listed& listed, std::uint32_t index, std::vector<Wanted>& wanted);
  void extra(int directory, const Segment& segment, const std::string& name);
  std::optional<Wanted> place(int directory, const Segment& segment, const Entry& entry, bool exists, bool part);
  std::optional<Wanted> place_file(int directory, const std::string& path, const Entry& entry, const Seen* is,
                                   bool part);
  void place_other(int directory, const std::string& path, const Entry& entry, const Seen* is);
  bool make_way(int directory, const std::string& path, const Entry& entry, const Seen& is);
  void store_one(OpenDirectory& in, const std::string& path, const FileHead& head, std::string_view content);
  void write_small(OpenDirectory& in, const std::string& path, const Entry& entry, std::string_view content);
  void link_one(const Link& link);
  void finish_directory(std::string_view path, const Entry& entry);
  bool owns(const Seen& is, const Entry& entry, const std::string& path);
  void failed(const std::string& path, const FileError& failure);
  void not_kept(const std::string& path, const Lost& lost);
  void count_skipped(const Entry& entry);

  Wishes wishes_;
  Progress* progress_;
  Tree tree_;
  Spool directories_;
  std::mutex mutex_;  // guards what follows
  Report report_;
  std::map<std::uint64_t, std::string> owners_;  ///< inode → the name it belongs to in this run
  std::vector<Problem> leftovers_;               ///< directory, name
  std::map<std::string, Names> listings_;        ///< of directories that come in parts
};

/// A large file while it is compared with the sender's and written. One thread at a time.
class LargeFile {
 public:
  LargeFile(Destination& destination, const Segment& segment, Entry entry);
  /// Size of what is here already, 0 if nothing; nothing at all if the file could not be opened.
  std::optional<std::uint64_t> basis() const;
  /// The hashes of up to `count` chunks from chunk `first` on, 16 bytes each; shorter at the end of the basis.
  std::string hashes(std::uint64_t first, std::size_t count) const;
  /// Whether these bytes are here already: `hash` is their SHA-256.
  bool holds(std::uint64_t offset, std::uint64_t size, std::string_view hash) const;
  void write(std::uint64_t offset, std::string_view data);
  void zero(std::uint64_t offset, std::uint64_t size);
  /// The content is complete: gives it its size, attributes and name.
  void finish(const FileHead& head);

 private:
  void open();
  void fail(const FileError& failure);

  Destination& destination_;
  std::string path_;
  Entry entry_;
  Fd directory_;
  Fd file_;
  std::uint64_t size_ = 0;
  std::uint64_t sent_ = 0;
  bool in_place_ = false;
};

/// The name under which `name` is written until it is complete.
std::string part_name(std::string_view name);
bool is_part_name(std::string_view name);

}  // namespace mtc::volume
