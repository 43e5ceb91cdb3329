#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "backup/item_rules.hpp"
#include "base/error.hpp"
#include "json/json.hpp"

// Any JSON object as each kind that has rules of its own: no failure, and what is adapted holds nothing that the source
// assigned, stands in its new namespace, and stays the same when it is adapted again.

namespace {

using namespace mtc;

constexpr std::array kKinds = {"services",        "pods",
                               "jobs.batch",      "secrets",
                               "configmaps",      "serviceaccounts",
                               "namespaces",      "rolebindings.rbac.authorization.k8s.io",
                               "endpoints",       "apiservices.apiregistration.k8s.io",
                               "deployments.apps"};

backup::RestoreContext context() {
  backup::RestoreContext out;
  out.restore_name = "restore";
  out.backup_name = "backup";
  out.namespace_mapping = {{"shop", "boutique"}};
  out.labels = {{"velero.io/restore-name", "restore"}};
  out.owners = {{"1", "Deployment web"}};
  out.services = {{"shop/web", true}};
  return out;
}

void check(const char* kind, const Json& object) {
  const backup::ArchivedObject where{kind, "shop", "web"};
  backup::reason_to_skip(where, object, context());
  auto adapted = object;
  backup::adapt(where, adapted, context());
  for (const auto* path : {"status", "metadata.uid", "metadata.resourceVersion", "metadata.ownerReferences"}) {
    if (find(adapted, path) != nullptr) std::abort();
  }
  if (string_at(adapted, "metadata.namespace") != "boutique") std::abort();
  auto again = adapted;
  backup::adapt(where, again, context());
  if (again != adapted || !backup::first_difference(adapted, again).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Json object;
  try {
    object = parse_json({reinterpret_cast<const char*>(data), size});
  } catch (const Error&) {
    return -1;
  }
  if (!object.is_object()) return -1;
  for (const auto* kind : kKinds) check(kind, object);
  return 0;
}
