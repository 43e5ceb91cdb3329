#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "restic/node.hpp"
#include "restic/snapshot.hpp"

namespace mtc::restic {

// A block device is kept as a tree of one regular file, so that restic itself gives an image of it (`restic dump ID
// device`). A tag, "mtc-device=<bytes>", says that the snapshot is of a device and of no file tree.

inline constexpr auto kDeviceName = "device";

std::string device_tag(std::uint64_t size);
/// How long the device is that a snapshot is of; nullopt if it is of a file tree. Throws Error(kCorrupt) for a tag that
/// is no size.
std::optional<std::uint64_t> device_of(const Snapshot& snapshot);
/// Its file in the tree.
Node device_node(std::uint64_t size, std::vector<Id> content, Time time);
/// The blobs of the device from the tree's JSON. Throws Error(kCorrupt) if the tree is anything else than a file of
/// `size` bytes of that name.
std::vector<Id> device_content(std::string_view json, std::uint64_t size);

}  // namespace mtc::restic
