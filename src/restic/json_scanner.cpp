#include "restic/json_scanner.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "restic/go_text.hpp"
#include "volume/file_error.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kDeepest = 64;

bool is_surrogate(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xE000; }

}  // namespace

void JsonScanner::refuse(std::string_view why) const {
  throw Error(Code::kCorrupt, fmt::format("the tree of {} {}", volume::printable(where_), why));
}

void JsonScanner::blanks() {
  const auto at = rest_.find_first_not_of(" \t\r\n");
  rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
}

bool JsonScanner::take(char c) {
  blanks();
  if (!rest_.starts_with(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

void JsonScanner::expect(char c) {
  if (!take(c)) refuse(fmt::format("is no JSON of a tree: no '{}' where one belongs", c));
}

bool JsonScanner::take_null() {
  blanks();
  if (!rest_.starts_with("null")) return false;
  rest_.remove_prefix(4);
  return true;
}

std::uint32_t JsonScanner::hex4() {
  std::uint32_t unit = 0;
  if (rest_.size() < 4) refuse("ends within an escape");
  const auto digits = rest_.substr(0, 4);
  if (std::from_chars(digits.begin(), digits.end(), unit, 16).ptr != digits.end()) refuse("has a broken escape");
  rest_.remove_prefix(4);
  return unit;
}

void JsonScanner::escape(std::string& to) {
  if (rest_.empty()) refuse("ends within an escape");
  const char letter = rest_.front();
  rest_.remove_prefix(1);
  switch (letter) {
    case '"':
    case '\\':
    case '/': to += letter; return;
    case 'b': to += '\b'; return;
    case 'f': to += '\f'; return;
    case 'n': to += '\n'; return;
    case 'r': to += '\r'; return;
    case 't': to += '\t'; return;
    case 'u': break;
    default: refuse("has an unknown escape");
  }
  auto unit = hex4();
  if (unit >= 0xD800 && unit < 0xDC00 && rest_.starts_with("\\u")) {
    rest_.remove_prefix(2);
    const auto low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) refuse("has half a character");
    unit = 0x10000 + ((unit - 0xD800) << 10U) + (low - 0xDC00);
  } else if (is_surrogate(unit)) {
    refuse("has half a character");
  }
  append_utf8(to, unit);
}

std::string JsonScanner::string() {
  expect('"');
  std::string out;
  for (;;) {
    const auto end = rest_.find_first_of("\"\\");
    if (end == std::string_view::npos) refuse("ends within a text");
    if (!is_utf8(rest_.substr(0, end))) refuse("has a text that is not UTF-8");
    out += rest_.substr(0, end);
    const bool done = rest_[end] == '"';
    rest_.remove_prefix(end + 1);
    if (done) return out;
    escape(out);
  }
}

std::uint64_t JsonScanner::number() {
  blanks();
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(rest_.begin(), rest_.end(), value);
  if (failure != std::errc()) refuse("has a text or a strange number where a number belongs");
  rest_.remove_prefix(static_cast<std::size_t>(end - rest_.begin()));
  if (!rest_.empty() && (rest_[0] == '.' || rest_[0] == 'e' || rest_[0] == 'E')) refuse("has a broken number");
  return value;
}

void JsonScanner::skip_value() {
  std::string open;
  do {
    blanks();
    if (rest_.empty()) refuse("ends within a value");
    const char c = rest_.front();
    if (c == '"') {
      string();
    } else if (c == '{' || c == '[') {
      if (open.size() == kDeepest) refuse("is nested too deep");
      open += c == '{' ? '}' : ']';
      rest_.remove_prefix(1);
    } else if (c == '}' || c == ']') {
      if (open.empty() || open.back() != c) refuse("closes what is not open");
      open.pop_back();
      rest_.remove_prefix(1);
    } else if ((c == ',' || c == ':') && !open.empty()) {
      rest_.remove_prefix(1);
      continue;
    } else {
      const auto end = rest_.find_first_of(",:}] \t\r\n\"[{");
      if (end == 0) refuse("has no value where one belongs");
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
    }
  } while (!open.empty());
}

void JsonScanner::end() {
  blanks();
  if (!rest_.empty()) refuse("goes on behind its end");
}

}  // namespace mtc::restic
