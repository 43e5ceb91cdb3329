#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "restic/node.hpp"

// Any bytes, read as a tree blob: refused, or nodes that are the same after writing and reading them again.

namespace {

using mtc::restic::Node;

void check(const Node& node) {
  if (!mtc::volume::is_safe_name(node.entry.name)) std::abort();
  std::string json(mtc::restic::kTreeHead);
  append_node(json, node);
  json += mtc::restic::kTreeEnd;
  mtc::restic::TreeReader reader(json, "");
  const auto again = reader.next();
  if (!again || again->entry != node.entry || again->content != node.content || again->subtree != node.subtree) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  mtc::restic::TreeReader reader({reinterpret_cast<const char*>(data), size}, "");
  try {
    while (const auto node = reader.next()) check(*node);
  } catch (const mtc::Error&) {
    // Refused.
  }
  return 0;
}
