#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "sandbox/field_set.hpp"
#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// Who writes: a field manager, and the subresource it writes through.
struct Writer {
  std::string manager;
  std::string subresource;
};
enum class Force { kNo, kYes };

/// Who owns which fields of an object: metadata.managedFields.
class Ownership {
 public:
  /// Those of `object`, which lives on as `resource`.
  Ownership(const Resource& resource, const Json& object);

  /// A write that is no apply: what it changed is the writer's now, what it removed nobody's.
  void note_update(const Writer& writer, const Json& before, const Json& after, Time now);
  /// Server-side apply: the object with the configuration applied, without what this writer applied before and applies
  /// no more. Throws Failure 409 naming the owners of fields that have another value, unless forced.
  Json apply(const Writer& writer, const Json& live, const Json& applied, Force force, Time now);
  /// Writes metadata.managedFields; an object that nobody owns anything of has none.
  void store(Json& object) const;

 private:
  struct Manager {
    std::string name, operation, api_version, subresource, time;
    FieldSet fields;
  };
  Manager& manager(const Writer& writer, const std::string& operation);
  void drop(const FieldSet& fields, const Manager* except);
  void refuse_conflicts(const FieldSet& set, const Manager& writer) const;

  const Resource& resource_;
  std::vector<Manager> managers_;
};

}  // namespace mtc::sandbox
