#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "restic/chunker.hpp"
#include "restic/content_windows.hpp"
#include "restic/node.hpp"
#include "restic/owner_names.hpp"
#include "restic/previous_tree.hpp"
#include "restic/repository.hpp"
#include "restic/tree_builder.hpp"
#include "volume/file_error.hpp"
#include "volume/progress.hpp"
#include "volume/report.hpp"
#include "volume/scan.hpp"
#include "volume/source.hpp"

namespace mtc::restic {

/// A batch on its way into the repository.
struct BackupUnit {
  volume::Batch batch;
  std::vector<std::vector<Node>> previous;  ///< of each segment, what the snapshot before has of its names
  std::vector<std::vector<Node>> nodes;     ///< of each segment, as they will stand in the tree
  std::vector<std::vector<bool>> lost;      ///< could not be read, which was noted
  std::vector<volume::Where> unread;        ///< files whose content is to be read

  Node& node(volume::Where at) { return nodes[at.segment][at.entry]; }
  std::string path(volume::Where at) const;
};

/// The tree that is backed up. Blocks; any threads at once, but for take().
class BackupSource {
 public:
  static constexpr std::uint64_t kWhole = 4ULL * 1024 * 1024;  ///< files up to this size are read in one piece

  /// All of them outlive the source; `reads` may be null.
  BackupSource(std::string root, Repository& repository, volume::ReadPace* reads, volume::Progress& progress);

  /// The next names; one caller at a time.
  std::optional<volume::Batch> take() { return scan_.next(); }
  /// Looks at the names of a unit, and finds out which contents are to be read.
  void look(BackupUnit& unit, const PreviousTree& previous);
  /// Reads files from unread[at] on, and gives the blobs that are new, until they are enough for one piece of work;
  /// stops before a file that is larger than kWhole. `at` moves on.
  std::vector<Sealed> read_some(BackupUnit& unit, std::size_t& at);
  /// True if the content of another name of the same file is known, which is taken then.
  bool take_known(Node& node);
  /// The nodes of a unit that was read. What no snapshot holds of them is taken out and is a loss in the report.
  std::vector<TreePart> parts_of(BackupUnit& unit);

  /// The root itself, under the name "root".
  Node root_node();
  const volume::Tree& tree() const { return tree_; }
  volume::Progress& progress() { return *progress_; }
  volume::ReadPace* reads() { return reads_; }
  Repository& repository() { return *repository_; }
  const Chunker& chunker() const { return chunker_; }
  /// A report while nobody else works; what was read is counted by whoever reads it.
  volume::Report& report() { return report_; }

 private:
  friend class LargeFileReader;
  using Inode = std::pair<std::uint64_t, std::uint64_t>;
  /// The content of a file with several names, which is read once.
  struct Content {
    volume::Stamp stamp;
    std::vector<Id> blobs;
  };

  Node node_of(const volume::Seen& seen);
  void look_at_file(BackupUnit& unit, volume::Where at, const Node* before, const PreviousTree& previous);
  void read_one(int directory, BackupUnit& unit, volume::Where at, std::vector<Sealed>& into);
  void refresh(Node& node, int file, const std::string& path);
  void keep(const Node& node, const volume::Stamp& stamp);
  TreePart part_of(BackupUnit& unit, std::uint32_t segment);
  void drop_unkept(const volume::Seen& seen, const std::string& path, Node& node);
  void done(const Node& node);
  void changed(const std::string& path);
  void unreadable(BackupUnit& unit, volume::Where at, const volume::FileError& failure);

  volume::Tree tree_;
  Repository* repository_;
  volume::ReadPace* reads_;
  volume::Progress* progress_;
  volume::Scan scan_;
  Chunker chunker_;
  OwnerNames owners_;
  std::mutex mutex_;  // guards what follows
  std::map<Inode, std::optional<Content>> shared_;
  volume::Report report_;
};

/// A file that is larger than BackupSource::kWhole, while it is read from its beginning to its end. One thread at a
/// time. What fails is noted in the source's report.
class LargeFileReader {
 public:
  /// Opens the file; if that fails, there is nothing in it.
  LargeFileReader(BackupSource& source, BackupUnit& unit, volume::Where at);
  /// The next blobs, some 10 MiB of them; none at the end.
  ContentWindow next();
  /// Everything was read; `blobs` are the Ids of all pieces. Notes if the file changed meanwhile.
  void finish(std::vector<Id> blobs);

 private:
  BackupSource& source_;
  BackupUnit& unit_;
  volume::Where at_;
  std::string path_;
  volume::Fd file_;
  volume::Stamp before_;
  std::optional<ContentWindows> windows_;
};

}  // namespace mtc::restic
