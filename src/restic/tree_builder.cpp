#include "restic/tree_builder.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/error.hpp"
#include "volume/file_error.hpp"

namespace mtc::restic {
namespace {

bool is_below(std::string_view path, std::string_view directory) {
  return directory.empty() ||
         (path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/');
}

std::string_view last_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

void TreePart::add(const Node& node) {
  if (!json.empty()) json += ',';
  const auto begin = json.size();
  append_node(json, node);
  if (node.subtree) children.push_back({node.entry.name, begin, json.size()});
}

void TreeBuilder::add(const TreePart& part, std::vector<Sealed>& into) {
  while (!open_.empty() && open_.back().path != part.path && !is_below(part.path, open_.back().path)) close_last(into);
  if (open_.empty() || open_.back().path != part.path) open_.push_back({part.path, std::string(kTreeHead), {}});
  auto& directory = open_.back();
  if (!part.json.empty() && directory.json.size() > kTreeHead.size()) directory.json += ',';
  const auto base = directory.json.size();
  directory.json += part.json;
  for (const auto& child : part.children) {
    directory.children.push_back({child.name, base + child.begin, base + child.end});
  }
}

void TreeBuilder::set_subtree(std::string_view name, const Id& id) {
  auto& directory = open_.back();
  const auto child = std::ranges::lower_bound(directory.children, name, {}, &Child::name);
  if (child == directory.children.end() || child->name != name) {
    throw Error(Code::kInternal, "a directory was scanned that was not listed: " + volume::printable(name));
  }
  directory.json.replace(child->end - kSubtreeTail, 64, id.hex());
  child->known = true;
}

Id TreeBuilder::close_last(std::vector<Sealed>& into) {
  auto directory = std::move(open_.back());
  open_.pop_back();
  auto& json = directory.json;
  for (const auto& child : std::views::reverse(directory.children)) {
    if (child.known) continue;
    // It vanished before it could be read, which the report says.
    const bool first = child.begin == kTreeHead.size();
    const auto begin = first ? child.begin : child.begin - 1;  // with the comma
    const bool comma_behind = first && child.end < json.size();
    json.erase(begin, child.end - begin + (comma_behind ? 1 : 0));
  }
  json += kTreeEnd;
  const auto id = Id::of(json);
  if (auto sealed = repository_->seal(BlobType::kTree, id, json)) into.push_back(std::move(*sealed));
  if (!open_.empty()) set_subtree(last_name(directory.path), id);
  return id;
}

Id TreeBuilder::finish(std::vector<Sealed>& into) {
  Id root{};
  while (!open_.empty()) root = close_last(into);
  return root;
}

}  // namespace mtc::restic
