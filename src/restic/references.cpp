#include "restic/references.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "json/json.hpp"
#include "restic/blob_reader.hpp"
#include "restic/repository.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kRequests = 8;

[[noreturn]] void corrupt(std::string_view what) {
  throw Error(Code::kCorrupt, fmt::format("it is no tree: {}", what));
}

/// {"nodes": [ { "type": …, "subtree": …, "content": [ … ] } ]}; all else is read over.
class TreeReader : public nlohmann::json_sax<Json> {
 public:
  References take() {
    if (!has_nodes_) corrupt("it has no nodes");
    return std::move(references_);
  }

  bool null() override {
    if (depth_ == 1 && skipped_ == 0 && key_ == "nodes") has_nodes_ = true;  // Go's empty list
    return true;
  }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool string(std::string& value) override {
    if (skipped_ > 0) return true;
    if (depth_ == kInNode && key_ == "type") type_ = value;
    if (depth_ == kInNode && key_ == "subtree") references_.trees.push_back(id_of(value)), has_tree_ = true;
    if (depth_ == kInContent) references_.data.push_back(id_of(value));
    return true;
  }
  bool key(std::string& value) override {
    if (skipped_ == 0) key_ = value;
    return true;
  }
  bool start_object(std::size_t) override {
    enter(depth_ == 0 || depth_ == kInNodes);
    if (depth_ == kInNode && skipped_ == 0) type_.clear(), has_tree_ = has_content_ = false;
    return true;
  }
  bool end_object() override {
    if (depth_ == kInNode && skipped_ == 0) {
      if (type_ == "dir" && !has_tree_) corrupt("a directory in it has no tree");
      if (type_ == "file" && !has_content_) corrupt("a file in it has no content");
    }
    leave();
    return true;
  }
  bool start_array(std::size_t) override {
    const bool nodes = depth_ == 1 && key_ == "nodes" && skipped_ == 0;
    const bool content = depth_ == kInNode && key_ == "content" && skipped_ == 0;
    has_nodes_ = has_nodes_ || nodes;
    has_content_ = has_content_ || content;
    enter(nodes || content);
    return true;
  }
  bool end_array() override {
    leave();
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    corrupt(fmt::format("its JSON is broken at byte {}", position));
  }

 private:
  static constexpr std::size_t kInNodes = 2;
  static constexpr std::size_t kInNode = 3;
  static constexpr std::size_t kInContent = 4;

  void enter(bool known) { ++(skipped_ > 0 || !known ? skipped_ : depth_); }
  void leave() { --(skipped_ > 0 ? skipped_ : depth_); }
  static Id id_of(const std::string& text) {
    const auto id = Id::parse(text);
    if (!id) corrupt("an id in it is not 64 hex digits");
    return *id;
  }

  References references_;
  std::string key_, type_;
  std::size_t depth_ = 0;
  std::size_t skipped_ = 0;
  bool has_nodes_ = false;
  bool has_tree_ = false;
  bool has_content_ = false;
};

/// A walk level by level: what a level needs is read with few requests.
struct Walk {
  Repository* repository;
  std::function<void(std::string)> failed;
  BlobSet used;
  std::mutex mutex;  ///< of `found` and `broken`, which the pool fills
  std::vector<std::pair<Id, References>> found;
  std::vector<std::string> broken;
};

/// The places of the trees among `ids` that were not met before.
std::vector<WantedBlob> fresh(Walk& walk, const std::vector<Id>& ids) {
  std::vector<WantedBlob> wanted;
  for (const auto& id : ids) {
    if (!walk.used.insert(BlobType::kTree, id)) continue;
    if (const auto at = walk.repository->locate(BlobType::kTree, id)) {
      wanted.push_back({{BlobType::kTree, id}, *at});
    } else {
      walk.failed(fmt::format("tree {} is in no index", id.hex()));
    }
  }
  return wanted;
}

void take_tree(Walk& walk, const WantedBlob& blob, const std::string& plain) {
  try {
    auto references = decode_references(plain);
    const std::scoped_lock lock(walk.mutex);
    walk.found.emplace_back(blob.key.id, std::move(references));
  } catch (const Error& error) {
    const std::scoped_lock lock(walk.mutex);
    walk.broken.push_back(fmt::format("tree {}: {}", blob.key.id.hex(), error.what()));
  }
}

/// Notes the data of the level that was read, and gives its trees.
std::vector<Id> settle(Walk& walk) {
  std::vector<Id> next;
  for (auto& what : std::exchange(walk.broken, {})) walk.failed(std::move(what));
  for (const auto& [tree, references] : std::exchange(walk.found, {})) {
    next.insert(next.end(), references.trees.begin(), references.trees.end());
    for (const auto& id : references.data) {
      if (!walk.used.insert(BlobType::kData, id) || walk.repository->locate(BlobType::kData, id)) continue;
      walk.failed(fmt::format("data blob {} of tree {} is in no index", id.hex(), tree.hex()));
    }
  }
  return next;
}

}  // namespace

References decode_references(std::string_view tree) {
  TreeReader reader;
  Json::sax_parse(tree.begin(), tree.end(), &reader);
  return reader.take();
}

Task<BlobSet> used_blobs(Repository* repository, std::vector<Id> roots, std::function<void(std::string)> failed) {
  Walk walk{.repository = repository, .failed = std::move(failed)};
  const BlobSink sink{
      [&walk](const WantedBlob& blob, std::string_view, const std::string& plain) { take_tree(walk, blob, plain); },
      [&walk](const WantedBlob&, const Error& why) { walk.failed(why.what()); }};
  for (auto level = std::move(roots); !level.empty(); level = settle(walk)) {
    co_await read_blobs(repository, fresh(walk, level), kRequests, sink);
  }
  co_return std::move(walk.used);
}

}  // namespace mtc::restic
