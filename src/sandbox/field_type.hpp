#pragma once

#include <string>
#include <vector>

#include "json/json.hpp"
#include "sandbox/built_in_types.hpp"
#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// Where in a kind's structure a value stands, and how server-side apply treats it there: by the schema of a custom
/// resource, by the types of k8s.io/api for a kind that is built in. Where neither knows a value, objects are owned
/// field by field and lists as a whole. Refers to the Resource.
class FieldType {
 public:
  explicit FieldType(const Resource& resource);

  FieldType field(const std::string& name) const;
  FieldType element() const;
  /// The value has one owner as a whole.
  bool is_atomic(const Json& value) const;
  /// The step to an element of a list that is no atom: `k:{…}` or `v:…`. Throws Error(kInvalid) for an element without
  /// its keys.
  std::string step_to(const Json& element) const;

 private:
  enum class List { kAtomic, kMap, kSet };
  struct Key {
    std::string name;
    Json preset;  ///< where the element leaves it out; null = it may not
  };
  FieldType() = default;
  void read(const BuiltInField& field);
  void read(const Json& schema);

  const BuiltInType* type_ = nullptr;  ///< of the value, or of its elements or members
  const Json* schema_ = nullptr;
  bool is_map_ = false;  ///< of a built-in type: any name leads to a value of type_
  bool atomic_map_ = false;
  List list_ = List::kAtomic;
  std::vector<Key> keys_;
};

}  // namespace mtc::sandbox
