#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace mtc::sandbox {

struct BuiltInType;

/// A field of a built-in type, as k8s.io/api declares it.
struct BuiltInField {
  enum class Shape { kOne, kList, kMap };
  unsigned number = 0;  ///< in protobuf
  std::string name;
  Shape shape = Shape::kOne;
  std::string scalar;  ///< string, bytes, int, number, bool, Time, Quantity, IntOrString, Raw; "" = `type`
  const BuiltInType* type = nullptr;  ///< of the value, the elements or the members
  std::vector<std::string> keys;      ///< that tell the elements of a list apart, if it is merged by them
  std::string merge_key;              ///< the one of them that a strategic merge patch uses
  bool set = false;                   ///< the elements are their own keys
  bool atomic = false;                ///< has one owner as a whole
  bool retain_keys = false;
  bool omit_empty = false;  ///< 0 and false are absence
  bool inlined = false;     ///< its fields stand in the object itself in JSON
};

struct BuiltInType {
  std::string name;
  bool atomic = false;
  std::vector<BuiltInField> fields;
  /// By its name in JSON, fields of what is inlined too; null if the type has none of it.
  const BuiltInField* field(std::string_view field_name) const;
};

/// The type of a built-in kind ("Deployment") or of a part of one; null for CustomResourceDefinitions and the unknown.
const BuiltInType* built_in_type(std::string_view name);
/// All of them, for a document.
const std::vector<const BuiltInType*>& built_in_types();

/// Brings an object into the form that its type gives it: drops nulls and what the type does not know; returns the
/// paths of the latter. Throws Failure 400 for a value of another type.
std::vector<std::string> decode(const BuiltInType& type, Json& object);

/// The table that the types are read from: a line each, `Name [atomic]: number name type [markers]; …`.
extern const std::string_view kBuiltInTypes;

}  // namespace mtc::sandbox
