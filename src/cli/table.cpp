#include "cli/table.hpp"

#include <algorithm>

namespace mtc::cli {
namespace {

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string format_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(header.size());
  for (std::size_t i = 0; i < header.size(); ++i) {
    widths[i] = width_of(header[i]);
    for (const auto& row : rows) widths[i] = std::max(widths[i], i < row.size() ? width_of(row[i]) : 0);
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      const auto& cell = i < cells.size() ? cells[i] : header[i];
      out += cell;
      if (i + 1 < header.size()) out.append(widths[i] - width_of(cell) + 2, ' ');
    }
    out += '\n';
  };
  add(header);
  for (const auto& row : rows) add(row);
  return out;
}

}  // namespace mtc::cli
