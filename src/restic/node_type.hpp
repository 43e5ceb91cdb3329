#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "volume/entry.hpp"

namespace mtc::restic {

/// "file", "dir", "dev"…: as tree blobs write it.
std::string_view name_of(volume::Type type);
std::optional<volume::Type> type_named(std::string_view name);
/// Whether restic writes how many names an entry of this type has.
bool has_links(volume::Type type);

/// The mode as Go's os.FileMode has it.
std::uint32_t go_mode(const volume::Entry& entry);
/// The mode of an entry from a Go mode; the type is said elsewhere.
std::uint32_t unix_mode(std::uint64_t go_mode);

}  // namespace mtc::restic
