#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mtc {

/// Standard padded base64 (RFC 4648 §4).
std::string base64_encode(std::string_view bytes);
/// Unpadded URL-safe base64 (RFC 4648 §5), as in JWT.
std::string base64url_encode(std::string_view bytes);
/// Reads standard base64; line breaks are tolerated, as Go's decoder does. nullopt if it is not base64.
std::optional<std::string> base64_decode(std::string_view text);
std::optional<std::string> base64url_decode(std::string_view text);

/// Lower-case hex.
std::string hex(std::string_view bytes);
/// nullopt if it is not an even number of hex digits.
std::optional<std::string> unhex(std::string_view text);

/// Percent-encodes everything but RFC 3986 unreserved characters; '/' too unless `keep_slash` is kYes.
enum class KeepSlash { kNo, kYes };
std::string percent_encode(std::string_view text, KeepSlash keep_slash = KeepSlash::kNo);
/// nullopt for a broken escape. '+' stays '+'.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace mtc
