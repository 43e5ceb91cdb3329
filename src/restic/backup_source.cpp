#include "restic/backup_source.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "restic/unkept.hpp"
#include "volume/file_io.hpp"

namespace mtc::restic {
namespace {

using volume::FileError;
using volume::Stamp;
using volume::Type;
using volume::Where;

constexpr int kAttempts = 3;
constexpr std::uint64_t kEnough = 8ULL * 1024 * 1024;  ///< content of one piece of work

bool is_gone(int number) { return number == ENOENT || number == ELOOP || number == ENOTDIR; }

Stamp stamp_of(const Node& node) { return {node.entry.size, node.entry.mtime_ns, node.ctime_ns}; }

}  // namespace

std::string BackupUnit::path(Where at) const {
  return volume::join_path(batch.segments[at.segment].path, nodes[at.segment][at.entry].entry.name);
}

BackupSource::BackupSource(std::string root, Repository& repository, volume::ReadPace* reads,
                           volume::Progress& progress)
    : tree_(std::move(root)),
      repository_(&repository),
      reads_(reads),
      progress_(&progress),
      scan_(tree_),
      chunker_(repository.chunker_polynomial()) {
  volume::note_lost_and_found(tree_, report_);
}

Node BackupSource::node_of(const volume::Seen& seen) {
  Node node;
  node.entry = seen.entry;
  node.entry.sparse = false;
  node.ctime_ns = seen.ctime_ns;
  node.user = owners_.user(seen.entry.uid);
  node.group = owners_.group(seen.entry.gid);
  node.device = seen.device;
  node.inode = seen.inode;
  node.links = seen.links;
  if (seen.entry.type == Type::kDirectory) node.subtree = Id{};  // until the tree is made
  return node;
}

Node BackupSource::root_node() {
  const auto seen = volume::look_at_open(tree_.fd(), "root", "");
  auto node = node_of(seen);
  drop_unkept(seen, "", node);
  return node;
}

void BackupSource::drop_unkept(const volume::Seen& seen, const std::string& path, Node& node) {
  auto lost = restic::drop_unkept(node.entry.xattrs);
  std::ranges::move(volume::unkept_of(seen), std::back_inserter(lost));
  if (lost.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (const auto& what : lost) report_.lose(what, 1, path);
}

void BackupSource::look(BackupUnit& unit, const PreviousTree& previous) {
  auto& batch = unit.batch;
  volume::look_at(tree_, batch);
  unit.previous.resize(batch.segments.size());
  for (std::uint32_t s = 0; s < batch.segments.size(); ++s) {
    const auto& found = batch.segments[s].found;
    auto& nodes = unit.nodes.emplace_back();
    nodes.reserve(found.size());
    for (const auto& seen : found) nodes.push_back(node_of(seen));
    unit.lost.emplace_back(found.size(), false);
    auto before = unit.previous[s].begin();
    for (std::uint32_t e = 0; e < nodes.size(); ++e) {
      while (before != unit.previous[s].end() && before->entry.name < nodes[e].entry.name) ++before;
      const bool known = before != unit.previous[s].end() && before->entry.name == nodes[e].entry.name;
      if (nodes[e].entry.type == Type::kFile) look_at_file(unit, {s, e}, known ? &*before : nullptr, previous);
    }
  }
  unit.previous.clear();
  const std::scoped_lock lock(mutex_);
  for (const auto& segment : batch.segments) report_.entries += segment.found.size();
  report_.vanished_count += batch.vanished.size();
  for (auto& problem : batch.vanished) note(report_.vanished, std::move(problem));
  report_.failed += batch.unreadable.size();
  for (auto& problem : batch.unreadable) note(report_.failures, std::move(problem));
}

void BackupSource::look_at_file(BackupUnit& unit, Where at, const Node* before, const PreviousTree& previous) {
  auto& node = unit.node(at);
  bool first = true;
  if (node.entry.shared) {
    const std::scoped_lock lock(mutex_);
    first = shared_.try_emplace({node.device, node.inode}).second;
  }
  if (first) progress_->found(1, node.entry.size);
  if (before == nullptr || !previous.is_unchanged(node, *before)) {
    unit.unread.push_back(at);
    return;
  }
  node.content = before->content;
  if (!first) return;
  progress_->settle(1, node.entry.size);
  const std::scoped_lock lock(mutex_);
  ++report_.skipped;
}

bool BackupSource::take_known(Node& node) {
  if (!node.entry.shared) return false;
  const std::scoped_lock lock(mutex_);
  const auto known = shared_.find({node.device, node.inode});
  if (known == shared_.end() || !known->second || known->second->stamp != stamp_of(node)) return false;
  node.content = known->second->blobs;
  return true;
}

/// Makes the node what the open file is now, if that is not what was listed.
void BackupSource::refresh(Node& node, int file, const std::string& path) {
  const auto now = volume::stamp_of(file, path);
  if (now == stamp_of(node)) return;
  const auto seen = volume::look_at_open(file, node.entry.name, path);
  if (seen.entry.type != Type::kFile) throw FileError(ENOENT, "read", path);
  node = node_of(seen);
}

void BackupSource::keep(const Node& node, const Stamp& stamp) {
  if (!node.entry.shared) return;
  const std::scoped_lock lock(mutex_);
  shared_[{node.device, node.inode}] = Content{stamp, node.content};
}

void BackupSource::done(const Node& node) {
  progress_->settle(1, node.entry.size);
  const std::scoped_lock lock(mutex_);
  ++report_.files;
  report_.bytes += node.entry.size;
}

void BackupSource::changed(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  ++report_.changed_count;
  note(report_.changed, volume::Problem{path, "changed while it was read"});
}

void BackupSource::unreadable(BackupUnit& unit, Where at, const FileError& failure) {
  unit.lost[at.segment][at.entry] = true;
  const std::scoped_lock lock(mutex_);
  if (is_gone(failure.number())) {
    ++report_.vanished_count;
    return note(report_.vanished, volume::Problem{unit.path(at), failure.what()});
  }
  ++report_.failed;
  note(report_.failures, volume::Problem{unit.path(at), failure.what()});
}

/// Reads one file as it stands still; one that never does is kept as it was last, and noted.
void BackupSource::read_one(int directory, BackupUnit& unit, Where at, std::vector<Sealed>& into) {
  auto& node = unit.node(at);
  if (take_known(node)) return;
  const auto path = unit.path(at);
  const auto file = volume::open_quietly(directory, node.entry.name, path);
  std::string content;
  for (int attempt = 1;; ++attempt) {
    refresh(node, file.get(), path);
    content = volume::read_at(file.get(), 0, std::min(node.entry.size, kWhole), path);
    const auto after = volume::stamp_of(file.get(), path);
    if (content.size() == node.entry.size && after == stamp_of(node)) break;
    if (attempt < kAttempts && after.size <= kWhole) continue;
    changed(path);
    node.entry.size = content.size();
    break;
  }
  if (reads_ != nullptr) reads_->count(content.size());
  node.content.clear();
  for (std::string_view rest = content; !rest.empty();) {
    const auto piece = rest.substr(0, chunker_.first(rest));
    rest.remove_prefix(piece.size());
    node.content.push_back(Id::of(piece));
    if (auto sealed = repository_->seal(BlobType::kData, node.content.back(), piece)) {
      into.push_back(std::move(*sealed));
    }
  }
  keep(node, stamp_of(node));
  progress_->move(content.size());
  done(node);
}

std::vector<Sealed> BackupSource::read_some(BackupUnit& unit, std::size_t& at) {
  std::vector<Sealed> blobs;
  std::optional<std::uint32_t> open;
  volume::Fd directory;
  for (std::uint64_t total = 0; at < unit.unread.size() && total < kEnough; ++at) {
    const auto where = unit.unread[at];
    const auto size = unit.node(where).entry.size;
    if (size > kWhole) break;
    total += size;
    try {
      if (open != where.segment) {
        open.reset();
        directory = tree_.open_directory(unit.batch.segments[where.segment].path);
        open = where.segment;
      }
      read_one(directory.get(), unit, where, blobs);
    } catch (const FileError& failure) {
      unreadable(unit, where, failure);
    }
  }
  return blobs;
}

TreePart BackupSource::part_of(BackupUnit& unit, std::uint32_t segment) {
  TreePart part;
  part.path = unit.batch.segments[segment].path;
  for (std::uint32_t e = 0; e < unit.nodes[segment].size(); ++e) {
    if (unit.lost[segment][e]) continue;
    auto& node = unit.node({segment, e});
    drop_unkept(unit.batch.segments[segment].found[e], unit.path({segment, e}), node);
    part.add(node);
  }
  return part;
}

std::vector<TreePart> BackupSource::parts_of(BackupUnit& unit) {
  std::vector<TreePart> parts;
  parts.reserve(unit.nodes.size());
  for (std::uint32_t s = 0; s < unit.nodes.size(); ++s) parts.push_back(part_of(unit, s));
  return parts;
}

}  // namespace mtc::restic
