#include "restic/go_text.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace mtc::restic {
namespace {

/// Control, format, separator and private characters beyond Latin-1, of Unicode 14.
constexpr std::array<std::pair<char32_t, char32_t>, 25> kNotPrinted{{
    {0x600, 0x605},     {0x61C, 0x61C},     {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x890, 0x891},
    {0x8E2, 0x8E2},     {0x1680, 0x1680},   {0x180E, 0x180E},   {0x2000, 0x200F},   {0x2028, 0x202F},
    {0x205F, 0x2064},   {0x2066, 0x206F},   {0x3000, 0x3000},   {0xD800, 0xF8FF},   {0xFEFF, 0xFEFF},
    {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x13438}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F}, {0xF0000, 0xFFFFD}, {0x100000, 0x10FFFD},
}};

bool is_printed(char32_t value) {
  if (value < 0x7F) return value >= 0x20;
  if (value <= 0xFF) return value > 0xA0 && value != 0xAD;
  const auto next = std::ranges::lower_bound(kNotPrinted, value, {}, [](const auto& range) { return range.second; });
  return next == kNotPrinted.end() || value < next->first;
}

/// The letter of a one-letter escape; 0 if the character has none.
char escape_letter(char32_t value) {
  switch (value) {
    case '\a': return 'a';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\v': return 'v';
    case '\\': return '\\';
    case '"': return '"';
    default: return 0;
  }
}

char escaped_by(char letter) {
  switch (letter) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '\\': return '\\';
    case '"': return '"';
    default: return 0;
  }
}

/// `count` digits of base 8 or 16 from the start of `text`, which are cut off.
std::optional<char32_t> take_digits(std::string_view& text, std::size_t count, unsigned base) {
  if (text.size() < count) return std::nullopt;
  char32_t value = 0;
  for (const char c : text.substr(0, count)) {
    unsigned digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  text.remove_prefix(count);
  return value;
}

/// Reads what follows a backslash, and cuts it off; false if it is no escape.
bool take_escape(std::string_view& text, std::string& to) {
  if (text.empty()) return false;
  const char letter = text.front();
  if (const char c = escaped_by(letter); c != 0) {
    text.remove_prefix(1);
    to += c;
    return true;
  }
  const bool octal = letter >= '0' && letter <= '7';
  if (!octal) text.remove_prefix(1);
  std::optional<char32_t> value;
  if (octal) value = take_digits(text, 3, 8);
  if (letter == 'x') value = take_digits(text, 2, 16);
  if (octal || letter == 'x') {
    if (!value || *value > 0xFF) return false;
    to += static_cast<char>(*value);
    return true;
  }
  if (letter == 'u') value = take_digits(text, 4, 16);
  if (letter == 'U') value = take_digits(text, 8, 16);
  if (!value || *value > 0x10FFFF || (*value >= 0xD800 && *value <= 0xDFFF)) return false;
  append_utf8(to, *value);
  return true;
}

/// How many bytes the first one announces, and the least value that may take so many.
std::pair<std::size_t, char32_t> announced(std::uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {2, 0x80};
  if (lead >= 0xE0 && lead <= 0xEF) return {3, 0x800};
  if (lead >= 0xF0 && lead <= 0xF4) return {4, 0x10000};
  return {0, 0};
}

}  // namespace

Rune first_rune(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const auto [size, least] = announced(lead);
  if (size == 0 || text.size() < size) return {};
  char32_t value = lead & (0x7FU >> size);
  for (const char c : text.substr(1, size - 1)) {
    const auto byte = static_cast<std::uint8_t>(c);
    if ((byte & 0xC0U) != 0x80) return {};
    value = (value << 6U) | (byte & 0x3FU);
  }
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, size};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto rune = first_rune(text);
    if (rune.value == Rune::kInvalid) return false;
    text.remove_prefix(rune.size);
  }
  return true;
}

void append_utf8(std::string& to, char32_t value) {
  const auto tail = [&](unsigned shift) { to += static_cast<char>(0x80U | ((value >> shift) & 0x3FU)); };
  if (value < 0x80) {
    to += static_cast<char>(value);
  } else if (value < 0x800) {
    to += static_cast<char>(0xC0U | (value >> 6U));
    tail(0);
  } else if (value < 0x10000) {
    to += static_cast<char>(0xE0U | (value >> 12U));
    tail(6);
    tail(0);
  } else {
    to += static_cast<char>(0xF0U | (value >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

void append_go_quoted(std::string& to, std::string_view text) {
  while (!text.empty()) {
    const auto rune = first_rune(text);
    const auto bytes = text.substr(0, rune.size);
    text.remove_prefix(rune.size);
    if (const char letter = escape_letter(rune.value); letter != 0) {
      to += {'\\', letter};
    } else if (rune.value == Rune::kInvalid) {
      fmt::format_to(std::back_inserter(to), "\\x{:02x}", static_cast<std::uint8_t>(bytes[0]));
    } else if (is_printed(rune.value)) {
      to += bytes;
    } else if (rune.value < 0x20 || rune.value == 0x7F) {
      fmt::format_to(std::back_inserter(to), "\\x{:02x}", static_cast<std::uint32_t>(rune.value));
    } else if (rune.value < 0x10000) {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<std::uint32_t>(rune.value));
    } else {
      fmt::format_to(std::back_inserter(to), "\\U{:08x}", static_cast<std::uint32_t>(rune.value));
    }
  }
}

std::optional<std::string> go_unquoted(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto plain = text.substr(0, text.find_first_of("\\\"\n"));
    out += plain;
    text.remove_prefix(plain.size());
    if (text.empty()) break;
    if (text.front() != '\\') return std::nullopt;
    text.remove_prefix(1);
    if (!take_escape(text, out)) return std::nullopt;
  }
  return out;
}

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    const auto rune = first_rune(text);
    const auto bytes = text.substr(0, rune.size);
    text.remove_prefix(rune.size);
    switch (rune.value) {
      case '"': to += "\\\""; break;
      case '\\': to += "\\\\"; break;
      case '\n': to += "\\n"; break;
      case '\r': to += "\\r"; break;
      case '\t': to += "\\t"; break;
      case Rune::kInvalid: to += "\\ufffd"; break;
      case '<':
      case '>':
      case '&':
      case 0x2028:
      case 0x2029: fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<std::uint32_t>(rune.value)); break;
      default:
        if (rune.value < 0x20) {
          fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<std::uint32_t>(rune.value));
        } else {
          to += bytes;
        }
    }
  }
  to += '"';
}

}  // namespace mtc::restic
