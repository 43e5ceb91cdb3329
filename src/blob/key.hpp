#pragma once

#include <cstdint>
#include <string_view>

#include "blob/store.hpp"

namespace mtc::blob {

/// Throws Error(kInvalid) for a key that store.hpp forbids.
void check_key(std::string_view key);
/// Throws Error(kInvalid) if `range` begins beyond the end of an object of `size` bytes. An empty object has the range
/// from 0.
void check_range(std::string_view key, const Range& range, std::uint64_t size);

}  // namespace mtc::blob
