#include "cli/drawing.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/text.hpp"

namespace mtc::cli {
namespace {

const char* colour_of(Style style) {
  switch (style) {
    case Style::kPlain: return "";
    case Style::kGood: return "\x1b[32m";
    case Style::kBad: return "\x1b[31m";
    case Style::kCurrent: return "\x1b[36m";
    case Style::kFaint: return "\x1b[2m";
  }
  return "";
}

std::string drawn(const Line& line, std::size_t columns, bool colours) {
  const auto mark = cut(line.mark, columns);
  const auto text = cut(line.text, columns - columns_of(mark));
  if (!colours || line.style == Style::kPlain) return mark + text;
  const auto* colour = colour_of(line.style);
  if (line.style == Style::kFaint) return fmt::format("{}{}{}\x1b[0m", colour, mark, text);
  return fmt::format("{}{}\x1b[0m{}", colour, mark, text);
}

}  // namespace

std::string Drawing::replace(const std::vector<Line>& lines, Window window, bool colours) {
  const auto room = std::max<std::size_t>(window.rows, 2) - 1;  // the cursor stands below the lines
  const auto first = lines.size() > room ? lines.size() - room : 0;
  std::string out;
  // More lines up than the window has now would be a jump to its top.
  if (drawn_ > 0) out = fmt::format("\r\x1b[{}A", std::min(drawn_, room));
  for (auto i = first; i < lines.size(); ++i)
    out += drawn(lines[i], std::max<std::size_t>(window.columns, 2) - 1, colours) + "\x1b[K\n";
  out += "\x1b[J";
  drawn_ = lines.size() - first;
  return out;
}

}  // namespace mtc::cli
