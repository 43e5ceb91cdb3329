#pragma once

#include <string>
#include <vector>

namespace mtc::cli {

/// Columns as wide as their widest cell, two blanks between them: kubectl's look. Characters count once, whatever their
/// bytes; a row may be shorter than the header.
std::string format_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

}  // namespace mtc::cli
