#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "json/fwd.hpp"

namespace mtc {

/// A label or field selector: requirements joined by AND.
class Selector {
 public:
  enum class Op { kIn, kNotIn, kExists, kDoesNotExist, kGreater, kLess };
  struct Requirement {
    std::string key;
    Op op = Op::kExists;
    std::vector<std::string> values;
  };

  Selector() = default;
  /// "a=b,c!=d,e in (f,g),h,!i,j>1,k<2": the text of labelSelector in a URL. Throws Error(kInvalid).
  static Selector parse(std::string_view text);
  /// "metadata.name=x,status.phase!=Running". Throws Error(kInvalid).
  static Selector parse_fields(std::string_view text);
  /// metav1.LabelSelector {matchLabels, matchExpressions}. Null or {} matches everything. Throws Error(kInvalid).
  static Selector from_json(const Json& label_selector);

  bool empty() const { return requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  /// Matches an object of string members ({} for null): `metadata.labels`.
  bool matches(const Json& labels) const;
  bool matches(const std::map<std::string, std::string>& values) const;
  /// The canonical URL text.
  std::string str() const;

 private:
  std::vector<Requirement> requirements_;
};

}  // namespace mtc
