#include "restic/snapshot_scan.hpp"

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "volume/attributes.hpp"
#include "volume/file_error.hpp"
#include "volume/scan.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kNames = 512;
constexpr std::size_t kSegments = 128;
constexpr std::uint64_t kHoles = 64ULL * 1024;  ///< no zeros are looked for in smaller files

/// What all names of one file agree in.
Id same_of(const Node& node) {
  volume::Writer all;
  all.u8(static_cast<std::uint8_t>(node.entry.type)).u64(node.entry.size).u64(node.entry.rdev).text(node.entry.target);
  for (const auto& id : node.content) all.text(id.hex());
  return Id::of(all.bytes());
}

}  // namespace

SnapshotScan::SnapshotScan(Repository& repository, Id tree) : repository_(&repository), root_(tree) {}

Task<std::optional<SnapshotBatch>> SnapshotScan::next() {
  SnapshotBatch batch;
  auto& segments = batch.listed.batch.segments;
  std::size_t names = 0;
  while (names < kNames && segments.size() < kSegments && co_await advance(&batch)) {
    names += segments.back().found.size();
  }
  if (segments.empty()) co_return std::nullopt;
  batch.listed.batch.number = number_++;
  co_return batch;
}

/// Adds the next part of the current directory, or of the next one. False at the end.
Task<bool> SnapshotScan::advance(SnapshotBatch* into) {
  if (!reader_) {
    if (!begun_) {
      begun_ = true;
      co_await open("", root_);
    } else {
      while (!levels_.empty() && levels_.back().at == levels_.back().children.size()) levels_.pop_back();
      if (levels_.empty()) co_return false;
      auto& level = levels_.back();
      const auto& child = level.children[level.at++];
      co_await open(volume::join_path(level.path, child.name), child.tree);
    }
  }
  read_segment(*into);
  co_return true;
}

Task<void> SnapshotScan::open(std::string path, Id tree) {
  if (path.size() > volume::kMaxPath) throw Error(Code::kCorrupt, "the snapshot has a path that is too long");
  try {
    json_ = co_await repository_->load(BlobType::kTree, tree);
  } catch (Error& error) {
    error.with_context("read the snapshot's directory " + volume::printable(path));
    throw;
  }
  path_ = std::move(path);
  reader_.emplace(json_, path_);
  last_name_.clear();
  children_.clear();
}

bool SnapshotScan::is_further(const Node& node, const std::string& path) {
  if (!node.entry.shared) return false;
  const auto same = same_of(node);
  const auto [first, fresh] = firsts_.try_emplace({node.device, node.inode}, First{path, same});
  if (fresh || first->second.same != same) return false;  // Another file by now: restic read it at another time.
  links_.push_back({path, first->second.path});
  return true;
}

void SnapshotScan::read_segment(SnapshotBatch& into) {
  volume::Segment segment;
  segment.path = path_;
  segment.after = last_name_;
  auto& content = into.content.emplace_back();
  auto& links = into.listed.links.emplace_back();
  while (segment.found.size() < kNames) {
    auto node = reader_->next();
    if (!node) {
      reader_.reset();
      break;
    }
    last_name_ = node->entry.name;
    if (path_.empty() && last_name_ == volume::kLostAndFound) {
      left_out_ = true;
      continue;
    }
    const auto path = volume::join_path(path_, node->entry.name);
    if (volume::has_cut_time(node->entry)) {
      if (!cut_times_) cut_times_.emplace(std::string(volume::kCutTime), 0, path);
      ++cut_times_->count;
    }
    if (node->subtree) children_.push_back({node->entry.name, *node->subtree});
    links.push_back(is_further(*node, path));
    content.push_back(std::move(node->content));
    // A tree does not say where its files had holes: they get some wherever there are zeros.
    node->entry.sparse = node->entry.size >= kHoles;
    volume::Seen seen{std::move(node->entry), node->device, node->inode, node->links, node->ctime_ns};
    segment.found.push_back(std::move(seen));
  }
  segment.last = !reader_;
  if (segment.last && !children_.empty()) levels_.push_back({path_, std::exchange(children_, {})});
  if (segment.last) json_ = {};
  into.listed.batch.segments.push_back(std::move(segment));
}

}  // namespace mtc::restic
