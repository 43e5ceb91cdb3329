#pragma once

#include <string_view>

namespace mtc::blob {

/// Throws Error(kInvalid) for a key that store.hpp forbids.
void check_key(std::string_view key);

}  // namespace mtc::blob
