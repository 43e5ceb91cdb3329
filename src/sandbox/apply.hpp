#pragma once

#include <string>

#include "json/json.hpp"
#include "sandbox/field_set.hpp"
#include "sandbox/field_type.hpp"

namespace mtc::sandbox {

// The steps of server-side apply, as sigs.k8s.io/structured-merge-diff takes them. All throw Error(kInvalid) for a list
// whose elements lack their keys.

/// The fields that an applied configuration names.
FieldSet fields_of(const FieldType& type, const Json& value);

/// What a change did to the fields of an object.
struct FieldChanges {
  FieldSet set;      ///< added, or given another value
  FieldSet removed;  ///< there no more
};
FieldChanges changes_between(const FieldType& type, const Json& before, const Json& after);

/// `live` with the values of `applied`; lists with keys are merged by element, sets united.
Json merged(const FieldType& type, const Json& live, const Json& applied);

/// Removes from `value` what is in `dropped` and not in `kept`, which no other manager may own any more.
void remove_fields(const FieldType& type, Json& value, const FieldSet& dropped, const FieldSet& kept);

}  // namespace mtc::sandbox
