#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/fwd.hpp"

namespace mtc {

/// RFC 6902. Throws Error(kInvalid) for a malformed patch, a failing `test`, and beyond the API server's bounds: 10,000
/// operations, 3 MiB copied, 512 levels. The target is unchanged on failure.
Json apply_json_patch(const Json& target, const Json& patch);
/// RFC 7386.
Json apply_merge_patch(Json target, const Json& patch);
/// The smallest RFC 7386 patch that turns `from` into `to`; an empty object if they are equal.
Json merge_patch_between(const Json& from, const Json& to);

/// Tells how Kubernetes merges the list at `path` (dotted, without indices: "spec.template.spec.containers").
struct ListStrategy {
  enum class Kind { kAtomic, kMap, kSet } kind = Kind::kAtomic;
  std::string merge_key;  ///< for kMap
};
/// Built-in knowledge of Kubernetes' own kinds, by the last segments of the path.
ListStrategy list_strategy(std::string_view kind, std::string_view path);
/// Kubernetes' strategic merge patch with $patch, $retainKeys, $setElementOrder, $deleteFromPrimitiveList directives.
/// `kind` selects the strategies ("Deployment"). Throws Error(kInvalid) for a malformed directive.
Json apply_strategic_patch(const Json& target, const Json& patch, std::string_view kind);

}  // namespace mtc
