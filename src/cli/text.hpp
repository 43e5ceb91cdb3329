#pragma once

#include <string>
#include <string_view>

namespace mtc::cli {

/// How many columns a text takes: characters, whatever their bytes.
std::size_t columns_of(std::string_view text);
/// The text in at most `columns` columns; "…" stands for what was cut off.
std::string cut(std::string_view text, std::size_t columns);
/// Words of a cluster on one line: control characters, which a terminal would obey, become blanks.
std::string one_line(std::string_view text);
/// The same for a text of several lines, whose ends stay.
std::string lines(std::string_view text);

}  // namespace mtc::cli
