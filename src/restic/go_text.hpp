#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mtc::restic {

// Text as Go's standard library writes it, on which restic's tree Ids depend.

/// One character at the start of bytes that may be no UTF-8.
struct Rune {
  static constexpr char32_t kInvalid = 0xFFFFFFFF;

  char32_t value = kInvalid;
  std::size_t size = 1;  ///< bytes that it takes; 1 if they are no UTF-8
};
/// `text` is not empty.
Rune first_rune(std::string_view text);
bool is_utf8(std::string_view text);
void append_utf8(std::string& to, char32_t value);

/// Appends what strconv.Quote makes of `text`, without the quotes around it: any bytes become printable UTF-8. Code
/// points that Unicode has not assigned are taken for printable.
void append_go_quoted(std::string& to, std::string_view text);
/// The reverse (strconv.Unquote of a string in double quotes); nullopt for what Go refuses.
std::optional<std::string> go_unquoted(std::string_view text);

/// Appends a JSON string as encoding/json writes it, with its quotes: <, > and & escaped, invalid UTF-8 as \ufffd.
void append_json_string(std::string& to, std::string_view text);

}  // namespace mtc::restic
