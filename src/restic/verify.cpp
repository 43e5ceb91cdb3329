#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "restic/restore.hpp"
#include "restic/restore_lane.hpp"
#include "restic/root_tag.hpp"
#include "restic/snapshot_scan.hpp"
#include "volume/file_error.hpp"
#include "volume/file_io.hpp"
#include "volume/manifest.hpp"

namespace mtc::restic {
namespace {

using volume::Entry;
using volume::FileError;
using volume::Type;

constexpr std::uint64_t kPiece = 1024UZ * 1024;

/// An inode on the disk, and what it must stand for: a name of its own, or the inode of the snapshot.
using Inode = std::pair<std::uint64_t, std::uint64_t>;

using Names = std::shared_ptr<const std::vector<volume::Name>>;

/// What the lanes of one verification share.
struct Verifying {
  Verifying(Repository& from, const Snapshot& snapshot, const RestoreOptions& asked, volume::Report& into)
      : repository(&from), tree(asked.root), scan(from, snapshot.tree), progress(asked.progress), report(&into) {
    leniency.losses = asked.allow_losses;
  }

  Repository* repository;
  volume::Tree tree;
  SnapshotScan scan;
  volume::Progress* progress;
  volume::Leniency leniency;
  async::Semaphore turn{1};  // at the scan
  bool scanned = false;
  std::mutex mutex;  // guards what follows
  volume::Report* report;
  std::string listed;  ///< the directory that was listed last, of those that come in parts
  Names names;
  std::map<Inode, std::string> first_of;  ///< the first name that each inode with several has to belong to
  std::map<std::string, Inode> inode_of;

  /// The sorted names of a directory; of one that comes in parts they are kept, or each part would list it again.
  Names names_of(const volume::Segment& segment, int directory) {
    const auto list = [&] {
      return std::make_shared<const std::vector<volume::Name>>(volume::list_names(directory, segment.path));
    };
    if (segment.after.empty() && segment.last) return list();
    const std::scoped_lock lock(mutex);
    if (!names || listed != segment.path) {
      names = list();
      listed = segment.path;
    }
    return names;
  }
  void differs(const std::string& path, std::string what) {
    const std::scoped_lock lock(mutex);
    if (leniency.excuses(path, what)) {
      ++report->excused;
      return;
    }
    ++report->differing;
    note(report->differences, volume::Difference{path, std::move(what)});
  }
  void unreadable(const std::string& path, const FileError& failure) {
    const std::scoped_lock lock(mutex);
    ++report->failed;
    note(report->failures, volume::Problem{path, failure.what()});
  }
};

/// Whether the file's content is these blobs, as the disk has it.
bool holds(int file, const std::vector<Id>& content, const std::vector<std::uint32_t>& sizes, std::string_view path) {
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < content.size(); ++i) {
    Sha256 hash;
    for (const auto end = offset + sizes[i]; offset < end;) {
      const auto bytes = volume::read_at(file, offset, std::min(kPiece, end - offset), path);
      if (bytes.empty()) return false;
      hash.update(bytes);
      offset += bytes.size();
    }
    if (hash.finish() != content[i].raw()) return false;
  }
  return volume::read_at(file, offset, 1, path).empty();
}

/// A name of a file with several: `first` is the first of them in the snapshot.
void check_links(Verifying& run, const volume::Seen& is, const std::string& path, const std::string& first) {
  if (is.entry.type == Type::kDirectory) return;
  bool same = false;
  {
    const std::scoped_lock lock(run.mutex);
    const Inode inode{is.device, is.inode};
    same = run.first_of.try_emplace(inode, first).first->second == first &&
           run.inode_of.try_emplace(first, inode).first->second == inode;
  }
  if (!same) run.differs(path, "hard link");
}

void check_entry(Verifying& run, int directory, const std::string& path, const volume::Seen& want,
                 const std::vector<Id>& content, const std::string& first) {
  try {
    const auto is = volume::look_at(directory, want.entry.name, path);
    const auto plain = [](Entry entry) {
      entry.sparse = entry.shared = false;
      return volume::Record{std::move(entry), {}, {}};
    };
    auto what = volume::Comparison::difference(plain(want.entry), plain(is.entry));
    if (want.entry.type == Type::kFile && is.entry.type == Type::kFile && is.entry.size == want.entry.size) {
      const auto file = volume::open_quietly(directory, want.entry.name, path);
      if (!holds(file.get(), content, sizes_of(*run.repository, content, want.entry.size, path), path)) {
        what += what.empty() ? "content" : ", content";
      }
      ++run.progress->verified;
    }
    if (!what.empty()) run.differs(path, what);
    if (want.entry.shared || is.entry.shared) check_links(run, is, path, first);
  } catch (const FileError& failure) {
    run.unreadable(path, failure);
  }
}

void check_segment(Verifying& run, const SnapshotBatch& batch, std::size_t index,
                   const std::map<std::string, std::string>& firsts) {
  const auto& segment = batch.listed.batch.segments[index];
  const auto directory = run.tree.open_directory(segment.path);
  const volume::WorkingDirectory here(directory.get());
  const auto shared = run.names_of(segment, directory.get());
  const auto& names = *shared;
  auto at = std::ranges::upper_bound(names, segment.after, {}, &volume::Name::name);
  const auto extra = [&](const std::string& name) {
    if (segment.path.empty() && name == volume::kLostAndFound) return;
    run.differs(volume::join_path(segment.path, name), "extra");
  };
  for (std::size_t e = 0; e < segment.found.size(); ++e) {
    const auto& want = segment.found[e];
    const auto path = volume::join_path(segment.path, want.entry.name);
    while (at != names.end() && at->name < want.entry.name) extra((at++)->name);
    if (at == names.end() || at->name != want.entry.name) {
      const bool device = want.entry.type == Type::kCharDevice || want.entry.type == Type::kBlockDevice;
      run.differs(path, device ? "device" : "missing");
      continue;
    }
    ++at;
    const auto first = firsts.find(path);
    check_entry(run, directory.get(), path, want, batch.content[index][e],
                first == firsts.end() ? path : first->second);
  }
  while (segment.last && at != names.end()) extra((at++)->name);
}

/// A batch, and the first names of those in it that are further ones.
struct Taken {
  SnapshotBatch batch;
  std::map<std::string, std::string> firsts;
};

Task<std::optional<Taken>> take_next(Verifying* run) {
  const auto turn = co_await run->turn.acquire();
  if (run->scanned) co_return std::nullopt;
  const auto before = run->scan.links().size();
  auto batch = co_await run->scan.next();
  run->scanned = !batch;
  if (!batch) co_return std::nullopt;
  Taken taken{std::move(*batch), {}};
  for (auto i = before; i < run->scan.links().size(); ++i) {
    taken.firsts.emplace(run->scan.links()[i].path, run->scan.links()[i].first);
  }
  co_return taken;
}

Task<void> run_lane(Verifying* run) {
  while (auto taken = co_await take_next(run)) {
    co_await async::offload([&] {
      for (std::size_t s = 0; s < taken->batch.listed.batch.segments.size(); ++s) {
        try {
          check_segment(*run, taken->batch, s, taken->firsts);
        } catch (const FileError& failure) {
          run->unreadable(taken->batch.listed.batch.segments[s].path, failure);
        }
      }
    });
  }
}

}  // namespace

Task<void> verify(std::shared_ptr<Repository> repository, Snapshot snapshot, RestoreOptions options,
                  volume::Report* report) {
  volume::Progress own;
  if (options.progress == nullptr) options.progress = &own;
  options.progress->stage = volume::Stage::kVerifying;
  const auto run =
      co_await async::offload([&] { return std::make_unique<Verifying>(*repository, snapshot, options, *report); });
  std::vector<Task<void>> lanes;
  lanes.reserve(options.lanes);
  for (unsigned i = 0; i < options.lanes; ++i) lanes.push_back(run_lane(run.get()));
  co_await async::all(std::move(lanes));
  co_await async::offload([&] {
    const auto root = root_of(snapshot.tags);
    if (!root) return;
    const auto is = volume::look_at_open(run->tree.fd(), "", "").entry;
    auto what = volume::Comparison::difference({*root, {}, {}}, {is, {}, {}});
    if (!what.empty()) run->differs("", std::move(what));
  });
  report->verified = true;
}

}  // namespace mtc::restic
