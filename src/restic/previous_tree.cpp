#include "restic/previous_tree.hpp"

#include <algorithm>
#include <utility>

#include "async/runtime.hpp"
#include "base/error.hpp"
#include "volume/entry.hpp"

namespace mtc::restic {
namespace {

constexpr auto kTick = std::chrono::seconds(2);  ///< the coarsest clock of a file system, FAT's

}  // namespace

PreviousTree::PreviousTree(Repository& repository, const std::optional<Snapshot>& snapshot) : repository_(&repository) {
  if (!snapshot) return;
  trees_.emplace("", snapshot->tree);
  settled_before_ns_ =
      std::chrono::duration_cast<std::chrono::nanoseconds>(snapshot->time.time_since_epoch() - kTick).count();
}

Task<void> PreviousTree::open(const std::string* path) {
  reader_.reset();
  ahead_.reset();
  json_.clear();
  const auto tree = trees_.find(*path);
  if (tree == trees_.end()) co_return;
  const auto id = tree->second;
  trees_.erase(tree);
  try {
    json_ = co_await repository_->load(BlobType::kTree, id);
    reader_.emplace(json_, *path);
  } catch (const Error& error) {
    // A damaged or missing tree costs time alone: everything in it is read.
    if (error.code() != Code::kNotFound && error.code() != Code::kCorrupt) throw;
  }
}

std::vector<Node> PreviousTree::advance(const volume::Segment& segment) {
  std::vector<Node> nodes;
  try {
    for (const auto& seen : segment.found) {
      const auto& name = seen.entry.name;
      while (reader_ && (!ahead_ || ahead_->entry.name < name)) {
        ahead_ = reader_->next();
        if (!ahead_) reader_.reset();
      }
      if (!ahead_ || ahead_->entry.name != name) continue;
      if (ahead_->subtree) trees_.emplace(volume::join_path(segment.path, name), *ahead_->subtree);
      nodes.push_back(std::move(*ahead_));
      ahead_.reset();
    }
  } catch (const Error&) {
    reader_.reset();  // As above.
    ahead_.reset();
  }
  return nodes;
}

Task<std::vector<Node>> PreviousTree::nodes_of(const volume::Segment* segment) {
  if (segment->after.empty()) co_await open(&segment->path);
  if (!reader_ && !ahead_) co_return std::vector<Node>{};
  co_return co_await async::offload([this, segment] { return advance(*segment); });
}

bool PreviousTree::is_unchanged(const Node& now, const Node& before) const {
  return before.entry.type == volume::Type::kFile && now.entry.size == before.entry.size &&
         now.entry.mtime_ns == before.entry.mtime_ns && now.ctime_ns == before.ctime_ns && now.inode == before.inode &&
         now.ctime_ns < settled_before_ns_ &&
         std::ranges::all_of(before.content, [this](const Id& id) { return repository_->knows(BlobType::kData, id); });
}

}  // namespace mtc::restic
