#include "restic/device_tree.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <unistd.h>

#include "base/error.hpp"

namespace mtc::restic {
namespace {

constexpr std::string_view kPrefix = "mtc-device=";

}  // namespace

std::string device_tag(std::uint64_t size) { return std::string(kPrefix) + std::to_string(size); }

std::optional<std::uint64_t> device_of(const Snapshot& snapshot) {
  const auto tag = std::ranges::find_if(snapshot.tags, [](const auto& each) { return each.starts_with(kPrefix); });
  if (tag == snapshot.tags.end()) return std::nullopt;
  std::uint64_t size = 0;
  const auto* end = tag->data() + tag->size();
  const auto [stopped, failure] = std::from_chars(tag->data() + kPrefix.size(), end, size);
  if (failure == std::errc() && stopped == end && size > 0) return size;
  throw Error(Code::kCorrupt, "the snapshot's tag about its device is broken");
}

Node device_node(std::uint64_t size, std::vector<Id> content, Time time) {
  Node node;
  node.entry.name = kDeviceName;
  node.entry.mode = 0600;
  node.entry.uid = ::geteuid();
  node.entry.gid = ::getegid();
  node.entry.size = size;
  node.entry.mtime_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  node.ctime_ns = node.entry.mtime_ns;
  node.links = 1;
  node.content = std::move(content);
  return node;
}

std::vector<Id> device_content(std::string_view json, std::uint64_t size) {
  TreeReader reader(json, "");
  auto node = reader.next();
  const bool is_device = node && node->entry.type == volume::Type::kFile && node->entry.name == kDeviceName &&
                         node->entry.size == size && !reader.next();
  if (!is_device)
    throw Error(Code::kCorrupt, "the snapshot's tag says that it is of a device, and its tree is of none");
  return std::move(node->content);
}

}  // namespace mtc::restic
