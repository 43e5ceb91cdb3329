#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace mtc::blob {

/// "Tue, 02 Feb 2021 15:04:09 GMT": the IMF-fixdate of RFC 9110 §5.6.7, as in Last-Modified.
std::string http_date(Time time);
/// nullopt for anything but an IMF-fixdate.
std::optional<Time> parse_http_date(std::string_view text);

}  // namespace mtc::blob
