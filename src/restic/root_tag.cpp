#include "restic/root_tag.hpp"

#include <algorithm>
#include <string_view>

#include "base/error.hpp"

namespace mtc::restic {
namespace {

constexpr std::string_view kPrefix = "mtc-root=";

}  // namespace

std::string root_tag(const Node& root) {
  auto node = root;
  node.subtree = Id{};  // A directory has one.
  std::string tag(kPrefix);
  append_node(tag, node);
  return tag;
}

std::optional<volume::Entry> root_of(const std::vector<std::string>& tags) {
  const auto tag = std::ranges::find_if(tags, [](const auto& each) { return each.starts_with(kPrefix); });
  if (tag == tags.end()) return std::nullopt;
  const auto json = std::string(kTreeHead) + tag->substr(kPrefix.size()) + std::string(kTreeEnd);
  TreeReader reader(json, "the root's tag");
  auto node = reader.next();
  if (!node || node->entry.type != volume::Type::kDirectory || reader.next()) {
    throw Error(Code::kCorrupt, "the snapshot's tag about its root is broken");
  }
  node->entry.name.clear();
  return std::move(node->entry);
}

}  // namespace mtc::restic
