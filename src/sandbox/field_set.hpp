#pragma once

#include <map>
#include <string>
#include <vector>

#include "json/json.hpp"

namespace mtc::sandbox {

/// A set of fields of an object, as metadata.managedFields holds them (FieldsV1). A step down is written "f:name" for a
/// field, `k:{"name":"a"}` for the element of a list with those keys, `v:"x"` for an element that is its own key.
class FieldSet {
 public:
  bool owned = false;                     ///< the value itself is in the set
  std::map<std::string, FieldSet> below;  ///< step → what is in the set of its value

  bool empty() const { return !owned && below.empty(); }
  bool operator==(const FieldSet&) const = default;
  /// The set at a step; null if nothing of it is in the set.
  const FieldSet* at(const std::string& step) const;

  static FieldSet from_json(const Json& fields_v1);
  Json to_json() const;
  FieldSet united(const FieldSet& other) const;
  FieldSet without(const FieldSet& other) const;
  FieldSet common(const FieldSet& other) const;
  /// Each field as kubectl shows it: `.spec.containers[name="a"].image`.
  std::vector<std::string> paths() const;
};

}  // namespace mtc::sandbox
