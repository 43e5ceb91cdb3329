#pragma once

#include <optional>
#include <string>
#include <vector>

#include "json/json.hpp"
#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// Where in a kind's structure a value stands, and how server-side apply treats it there: by the schema of a custom
/// resource, by the markers of k8s.io/api for a kind that is built in. Refers to the Resource.
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
  void look_up();

  const Resource* resource_ = nullptr;
  const Json* schema_ = nullptr;  ///< of a custom resource; null where it knows nothing
  std::string path_;              ///< dotted, without indices
  bool atomic_map_ = false;
  List list_ = List::kAtomic;
  std::vector<Key> keys_;
};

}  // namespace mtc::sandbox
