#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/fwd.hpp"

namespace mtc {

/// The part of kubectl's JSONPath that printer columns and `-o jsonpath` use: .a.b, ['a.b'], [0], [*], [-1], [1:3],
/// ..name, [?(@.type=='Ready')] with == != < <= > >=. Throws Error(kInvalid) for a path it cannot read.
class JsonPath {
 public:
  explicit JsonPath(std::string_view path);
  /// All matches in document order; none is not an error. The pointers live as long as `value`.
  std::vector<const Json*> find(const Json& value) const;

  struct Step;

 private:
  std::vector<Step> steps_;
};

}  // namespace mtc
