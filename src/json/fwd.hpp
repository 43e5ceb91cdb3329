#pragma once

#include <nlohmann/json_fwd.hpp>

namespace mtc {

/// A JSON value. Objects are sorted by key, so output is deterministic. Include json/fwd.hpp in headers and
/// json/json.hpp where a value is touched: the full header costs every including file seconds of compile time.
using Json = nlohmann::json;

}  // namespace mtc
