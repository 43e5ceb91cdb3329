#pragma once

#include <string>
#include <vector>

#include "json/fwd.hpp"

namespace mtc {

/// One violation, worded and keyed as the Kubernetes API server does ("spec.replicas", "Invalid value: …: …").
struct SchemaViolation {
  std::string field;    ///< dotted path with [indices]
  std::string reason;   ///< FieldValueRequired, FieldValueInvalid, FieldValueTypeInvalid, FieldValueNotSupported …
  std::string message;  ///< the whole text after the field
};

/// The structural schemas of CustomResourceDefinitions (the OpenAPI v3 subset of apiextensions.k8s.io/v1): type,
/// properties, additionalProperties, items, required, enum, minimum, maximum, exclusive*, multipleOf, min/maxLength,
/// pattern (RE2 syntax is assumed), min/maxItems, uniqueItems, min/maxProperties, format, nullable, default,
/// anyOf/allOf/oneOf/not, x-kubernetes-preserve-unknown-fields, x-kubernetes-int-or-string,
/// x-kubernetes-embedded-resource, x-kubernetes-list-type(+map-keys), x-kubernetes-map-type. `schema` is an
/// openAPIV3Schema.
std::vector<SchemaViolation> validate_schema(const Json& schema, const Json& value);
/// Fills `default`s in place. Values that are null and not nullable are taken as absent first, as Kubernetes does.
/// Throws Error(kInvalid) if they come to more than a million values.
void apply_defaults(const Json& schema, Json& value);
/// Drops what the schema does not know; returns the dropped paths. apiVersion, kind and metadata of the root stay.
std::vector<std::string> prune(const Json& schema, Json& value);

}  // namespace mtc
