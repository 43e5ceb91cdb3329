#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace mtc {

/// The part of kubectl's JSONPath that printer columns and `-o jsonpath` use: .a.b, ['a.b'], [0], [*], [-1], [1:3],
/// ..name,
/// [?(@.type=='Ready')] with == != < <= > >=, with or without braces around it.
class JsonPath {
 public:
  /// Throws Error(kInvalid) for a path it cannot read.
  explicit JsonPath(std::string_view path);
  /// All matches in document order; none is not an error. The pointers live as long as `value`.
  std::vector<const Json*> find(const Json& value) const;

 private:
  struct Step {
    enum class Kind { kField, kWildcard, kSlice, kRecursive, kFilter } kind = Kind::kField;
    std::string name;               ///< kField, kRecursive
    std::optional<long> from, to;   ///< kSlice; a single index n is [n, n+1)
    std::vector<std::string> left;  ///< kFilter: the fields of @.a.b
    std::string op;                 ///< kFilter; "" = exists
    Json right;                     ///< kFilter
  };
  class Parser;

  static void apply(const Step& step, const Json& value, std::vector<const Json*>& out);
  std::vector<Step> steps_;
};

}  // namespace mtc
