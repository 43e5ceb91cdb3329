#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/fwd.hpp"

namespace mtc {

/// Reads all documents of a YAML stream the way Kubernetes does (libyaml with YAML 1.1 scalars: yes/on → true, 012 →
/// 10, 1_000 → 1000, 0x1F → 31, `<<` merges, the last duplicate key wins, dates stay strings). JSON is YAML too. Empty
/// documents are left out. Throws Error(kInvalid) with line and column; bounded in depth (512) and in alias expansion.
std::vector<Json> parse_yaml(std::string_view text);
/// The one document of `text`; Error(kInvalid) if there are none or several.
Json parse_yaml_one(std::string_view text);
/// Block style, keys sorted, strings quoted exactly where YAML 1.1 would read them as something else: `kubectl -o
/// yaml`.
std::string to_yaml(const Json& value);

}  // namespace mtc
