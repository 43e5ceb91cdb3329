#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mtc {

/// "a,,b" split at ',' → {"a", "", "b"}; "" → {}.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
/// Without leading and trailing blanks, tabs, CR and LF.
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
/// RFC 1123 label: at most 63 of [a-z0-9-], beginning and ending with a letter or digit.
bool is_dns_label(std::string_view text);
/// RFC 1123 subdomain: labels joined by dots, at most 253.
bool is_dns_subdomain(std::string_view text);
/// The candidate nearest to `word` by edit distance, for "did you mean"; "" if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
/// "999 bytes", "1.20 MB": units of 1000, as Velero writes them.
std::string bytes_text(std::int64_t bytes);

}  // namespace mtc
