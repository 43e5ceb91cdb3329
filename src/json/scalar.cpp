#include "json/scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "json/json.hpp"

namespace mtc {
namespace {

constexpr std::array kNull = {"", "~", "null", "Null", "NULL"};
constexpr std::array kTrue = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::array kFalse = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};

template <typename Words>
bool is_one_of(std::string_view text, const Words& words) {
  return std::ranges::find(words, text) != words.end();
}

std::optional<std::uint64_t> digits(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Json> integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  std::optional<std::uint64_t> value;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    value = digits(text.substr(2), 16);
  } else if (text.starts_with("0b") || text.starts_with("0B")) {
    value = digits(text.substr(2), 2);
  } else if (text.starts_with("0o")) {
    value = digits(text.substr(2), 8);
  } else if (text.size() > 1 && text[0] == '0') {
    value = digits(text.substr(1), 8);
  } else {
    value = digits(text, 10);
  }
  if (!value) return std::nullopt;
  if (!negative) return *value <= INT64_MAX ? Json(static_cast<std::int64_t>(*value)) : Json(*value);
  if (*value > static_cast<std::uint64_t>(INT64_MAX) + 1) return std::nullopt;
  return Json(static_cast<std::int64_t>(~*value + 1));
}

std::optional<Json> real(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto unsigned_text = text.starts_with('-') ? text.substr(1) : text;
  if (unsigned_text.empty() || !(unsigned_text[0] == '.' || (unsigned_text[0] >= '0' && unsigned_text[0] <= '9'))) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  // JSON knows one kind of number: a whole one is written without a fraction, as Go's encoder does.
  if (value == std::floor(value) && std::abs(value) < 9007199254740992.0) return Json(static_cast<std::int64_t>(value));
  return Json(value);
}

/// The code point with which `text` begins, if it is one of those that need an escape.
std::optional<unsigned> special_at(std::string_view text) {
  if (text[0] == '\x7F') return 0x7F;
  if (text.size() > 1 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0)
    return static_cast<unsigned char>(text[1]);
  for (const auto& [bytes, point] : {std::pair{"\xE2\x80\xA8", 0x2028U},
                                     {"\xE2\x80\xA9", 0x2029U},
                                     {"\xEF\xBB\xBF", 0xFEFFU},
                                     {"\xEF\xBF\xBE", 0xFFFEU},
                                     {"\xEF\xBF\xBF", 0xFFFFU}}) {
    if (text.starts_with(bytes)) return point;
  }
  return std::nullopt;
}

std::string double_quoted(const std::string& text) {
  const auto json = dump(Json(text));
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto point = special_at(std::string_view(json).substr(i));
    if (!point) {
      out += json[i];
    } else {
      out += fmt::format("\\u{:04x}", *point);
      i += *point < 0x80 ? 0 : *point < 0x800 ? 1 : 2;  // the rest of its UTF-8
    }
  }
  return out;
}

}  // namespace

bool needs_escapes(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1)) {
    if (special_at(text)) return true;
  }
  return false;
}

Json resolve_scalar(std::string_view text) {
  if (is_one_of(text, kNull)) return nullptr;
  if (is_one_of(text, kTrue)) return true;
  if (is_one_of(text, kFalse)) return false;
  const bool may_be_number = std::string_view("+-.0123456789").contains(text[0]);
  if (!may_be_number) return std::string(text);
  std::string plain;
  std::ranges::copy_if(text, std::back_inserter(plain), [](char c) { return c != '_'; });
  if (auto value = integer(plain)) return *value;
  if (auto value = real(plain)) return *value;
  return std::string(text);
}

std::string quote_scalar(const std::string& text) {
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`";
  const bool reads_as_string = !text.empty() && resolve_scalar(text).is_string();
  const bool safe_start = reads_as_string && !kIndicators.contains(text.front()) && text.front() != ' ' &&
                          text.back() != ' ' && text.front() != '=' && text != "<<" && !text.starts_with("...");
  const bool safe_inside =
      text.find(": ") == std::string::npos && text.find(" #") == std::string::npos && !text.ends_with(':') &&
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20; }) && !needs_escapes(text);
  return safe_start && safe_inside ? text : double_quoted(text);
}

}  // namespace mtc
