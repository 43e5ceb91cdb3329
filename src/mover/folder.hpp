#pragma once

#include <optional>
#include <string>

namespace mtc::mover {

/// The content of a file of a folder that a pod mounts. Throws Error: kNotFound naming the file if it cannot be read or
/// is empty, kInvalid if it is longer than a MiB. Blocks.
std::string read_mounted(const std::string& folder, const std::string& name);
/// As read_mounted; nothing if the file does not exist.
std::optional<std::string> find_mounted(const std::string& folder, const std::string& name);

}  // namespace mtc::mover
