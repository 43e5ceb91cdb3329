#pragma once

#include <optional>
#include <string>
#include <vector>

#include "restic/node.hpp"

namespace mtc::restic {

// A tree blob says nothing of its own directory. A snapshot whose tree is that of a whole volume keeps the owner, mode,
// times and attributes of the volume's root in a tag, "mtc-root=<node>"; restic shows tags, and reads over them.

std::string root_tag(const Node& root);
/// The root's entry, with an empty name; nullopt if no tag has one (a snapshot of restic). Throws Error(kCorrupt).
std::optional<volume::Entry> root_of(const std::vector<std::string>& tags);

}  // namespace mtc::restic
