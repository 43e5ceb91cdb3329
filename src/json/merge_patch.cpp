#include "json/json.hpp"
#include "json/patch.hpp"

namespace mtc {

Json apply_merge_patch(Json target, const Json& patch) {
  target.merge_patch(patch);
  return target;
}

Json merge_patch_between(const Json& from, const Json& to) {
  Json patch = Json::object();
  for (const auto& [key, before] : from.items()) {
    const auto* after = member(to, key);
    if (after == nullptr) {
      patch[key] = nullptr;
    } else if (before != *after) {
      const bool both_objects = before.is_object() && after->is_object();
      patch[key] = both_objects ? merge_patch_between(before, *after) : *after;
    }
  }
  for (const auto& [key, after] : to.items()) {
    if (!from.contains(key)) patch[key] = after;
  }
  return patch;
}

}  // namespace mtc
