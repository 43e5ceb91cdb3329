#pragma once

#include <string>
#include <string_view>

#include "json/fwd.hpp"

namespace mtc {

/// What a plain YAML 1.1 scalar means to Kubernetes' parser: null, a boolean, a number, or the string itself.
Json resolve_scalar(std::string_view text);
/// Whether `text` holds a character that YAML takes for a line end or allows only as an escape: DEL, C1 controls,
/// U+2028, U+2029, the byte order mark, U+FFFE and U+FFFF.
bool needs_escapes(std::string_view text);
/// The scalar written so that resolve_scalar gives the same string back: plain where that is safe, else double-quoted.
std::string quote_scalar(const std::string& text);

}  // namespace mtc
