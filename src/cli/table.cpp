#include "cli/table.hpp"

#include <algorithm>

#include "cli/text.hpp"

namespace mtc::cli {

std::string format_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  const auto cell_of = [](const std::vector<std::string>& cells, std::size_t column) {
    return column < cells.size() ? one_line(cells[column]) : std::string();
  };
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < header.size(); ++i) {
    auto width = columns_of(header[i]);
    for (const auto& row : rows) width = std::max(width, columns_of(cell_of(row, i)));
    widths.push_back(width);
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < header.size(); ++i) {
      const auto cell = cell_of(cells, i);
      line += cell + std::string(widths[i] - columns_of(cell) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  add(header);
  for (const auto& row : rows) add(row);
  return out;
}

}  // namespace mtc::cli
