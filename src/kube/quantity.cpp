#include "kube/quantity.hpp"

#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace mtc::kube {

double quantity(std::string_view text) {
  static const std::map<std::string_view, double> units = {
      {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},   {"k", 1e3},     {"M", 1e6},
      {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},   {"Ki", 0x1p10}, {"Mi", 0x1p20},
      {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60}};
  double number = 0;
  // An exponent ("1e3") is part of the number; "1E" is a unit.
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || !std::isfinite(number)) return 0;
  const auto unit = units.find(std::string_view(rest, text.data() + text.size()));
  return unit == units.end() ? 0 : number * unit->second;
}

std::string to_quantity(double number) {
  static constexpr std::pair<double, std::string_view> units[] = {
      {0x1p60, "Ei"}, {0x1p50, "Pi"}, {0x1p40, "Ti"}, {0x1p30, "Gi"}, {0x1p20, "Mi"}, {0x1p10, "Ki"},
      {1e18, "E"},    {1e15, "P"},    {1e12, "T"},    {1e9, "G"},     {1e6, "M"},     {1e3, "k"}};
  if (number != std::floor(number)) return fmt::format("{:.0f}m", std::ceil(number * 1000));
  for (const auto& [size, unit] : units) {
    if (std::abs(number) >= size && std::fmod(number, size) == 0) return fmt::format("{:.0f}{}", number / size, unit);
  }
  return fmt::format("{:.0f}", number);
}

}  // namespace mtc::kube
