#include "control/object_writer.hpp"

#include <utility>

#include "json/json.hpp"
#include "json/patch.hpp"

namespace mtc::control {

Task<Json> write_changes(kube::ClientPtr cluster, kube::ResourceType type, Json before, Json after, Rng& rng) {
  auto patch = merge_patch_between(before, after);
  if (patch.empty()) co_return before;
  patch["metadata"]["resourceVersion"] = kube::resource_version_of(before);
  patch["metadata"]["annotations"]["openshift.io/touch"] = uuid4(rng);
  co_return co_await cluster->patch(std::move(type), kube::key_of(before), kube::PatchKind::kMerge, std::move(patch));
}

}  // namespace mtc::control
