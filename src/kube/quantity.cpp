#include "kube/quantity.hpp"

#include <charconv>
#include <cmath>
#include <map>

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

}  // namespace mtc::kube
