#pragma once

#include <string>
#include <string_view>

namespace mtc::cli {

/// What a file that the user named holds. `what` names it: "CA file". Throws UserError(kNotFound). Blocks.
std::string read_file(const std::string& path, std::string_view what);

}  // namespace mtc::cli
