#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "volume/content_hash.hpp"
#include "volume/file_error.hpp"
#include "volume/frames.hpp"
#include "volume/manifest.hpp"
#include "volume/progress.hpp"
#include "volume/read_pace.hpp"
#include "volume/report.hpp"
#include "volume/tree.hpp"

namespace mtc::volume {

/// A batch on its way: what was found, which names are further links, and the hashes of what was read.
struct Unit {
  Batch batch;
  std::vector<std::vector<bool>> links;
  std::vector<std::vector<bool>> lost;  ///< could not be read, which was noted
  Digests digests;
};

/// lost+found belongs to the file system and does not travel; if that leaves something behind, the report says so.
void note_lost_and_found(const Tree& tree, Report& report);

/// The tree that is sent. Blocks; any threads at once, but for take().
class Source {
 public:
  /// `reads`, which may be null, and `progress` outlive the source.
  Source(std::string root, bool hash, ReadPace* reads, Progress* progress);

  /// The next names; one caller at a time.
  std::optional<Batch> take() { return scan_.next(); }
  /// Looks at the names of a batch, and finds out which are further names of files that were listed before.
  Unit look(Batch batch);

  /// Counts the files that the receiver has already: all but `wanted`.
  void count_kept(const Unit& unit, const std::vector<Wanted>& wanted);
  /// Reads small files until a message is full, from wanted[at] on; stops before a large one. `at` moves on. The
  /// message lies in the memory of `buffer`.
  Frame read_small(Unit& unit, const std::vector<Wanted>& wanted, std::size_t& at, std::string buffer = {});
  /// Hashes what was not sent, and puts the batch into the manifest.
  void record(Unit& unit);

  Entry root_entry() const;
  const Tree& tree() const { return tree_; }
  const std::vector<Link>& links() const { return links_; }
  Manifest& manifest() { return manifest_; }
  bool hashes() const { return hash_; }
  Progress& progress() { return *progress_; }
  /// Counts what was read of the disk.
  void count_read(std::uint64_t bytes);
  /// Waits for as long as that takes at the pace that was asked for.
  Task<void> keep_pace();
  void changed(const std::string& path);
  void unreadable(const std::string& path, const FileError& failure);
  Report& report() { return report_; }

 private:
  void read_one(int directory, Unit& unit, const Wanted& wanted, Writer& into);
  std::string hash_of(int directory, const Seen& seen, const std::string& path);

  Tree tree_;
  bool hash_;
  ReadPace* reads_;
  Progress* progress_;
  Scan scan_;
  Manifest manifest_;
  std::mutex mutex_;  // guards what follows
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> firsts_;
  std::vector<Link> links_;
  Report report_;
};

/// A large file while it is sent. One thread at a time.
class LargeSource {
 public:
  /// Opens the file; what fails is noted and makes it `gone`.
  LargeSource(Source& source, Unit& unit, Where where);
  bool gone() const { return !file_; }
  /// The next message; nothing at the end. `theirs` holds the hashes of the receiver's chunks, as far as they matter
  /// for this chunk (see chunk()). The message takes the memory of `buffer`, if it needs it.
  struct Step {
    std::optional<Frame> frame;  ///< nothing: the receiver has it
    bool end = false;
  };
  Step next(std::string_view theirs, std::string& buffer);
  /// The chunk that next() looks at.
  std::uint64_t chunk() const { return offset_ / kChunk; }
  /// What to say at the end; checks if the file changed meanwhile.
  FileHead finish();

 private:
  std::uint64_t skip_hole();
  void give_up(const FileError& failure);

  Source& source_;
  Unit& unit_;
  Where where_;
  std::string path_;
  Seen seen_;
  Fd file_;
  Stamp before_;
  ContentHash hash_;
  std::uint64_t offset_ = 0;
};

}  // namespace mtc::volume
