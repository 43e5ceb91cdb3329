#include "sandbox/controller_tools.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

bool has_finalizer(const Json& object, const std::string& finalizer) {
  const auto all = strings_at(object, "metadata.finalizers");
  return std::ranges::find(all, finalizer) != all.end();
}

}  // namespace

const Resource& built_in(const std::string& group_resource) {
  const auto& all = built_in_resources();
  return **std::ranges::find_if(
      all, [&](const ResourcePtr& resource) { return resource->type.group_resource() == group_resource; });
}

std::string name_of(const Json& object) { return string_at(object, "metadata.name"); }
std::string ns_of(const Json& object) { return string_at(object, "metadata.namespace"); }
std::string uid_of(const Json& object) { return string_at(object, "metadata.uid"); }
bool is_leaving(const Json& object) { return !string_at(object, "metadata.deletionTimestamp").empty(); }

void try_create(Objects& objects, const Resource& resource, const std::string& ns, Json object) {
  try {
    objects.create(resource, ns, std::move(object));
  } catch (const Failure&) {
    // Told above.
  }
}

ObjectPtr rewrite(Objects& objects, const Resource& resource, Json object, const Manner& manner) {
  object["metadata"].erase("resourceVersion");
  const auto ns = ns_of(object), name = name_of(object);
  return objects.update(resource, ns, name, std::move(object), manner);
}

void set_status(Objects& objects, const Resource& resource, const Json& object, Json status,
                const std::string& manager) {
  if (object_at(object, "status") == status) return;
  auto changed = object;
  changed["status"] = std::move(status);
  rewrite(objects, resource, std::move(changed), {.manager = manager, .part = Part::kStatus, .subresource = "status"});
}

void drop_finalizer(Objects& objects, const Resource& resource, const Json& object, const std::string& finalizer) {
  const auto now = objects.storage().get({resource.type.group_resource(), ns_of(object), name_of(object)});
  if (!now || !has_finalizer(*now, finalizer)) return;
  auto changed = *now;
  auto& finalizers = changed["metadata"]["finalizers"];
  finalizers.erase(std::remove(finalizers.begin(), finalizers.end(), Json(finalizer)), finalizers.end());
  if (finalizers.empty()) changed["metadata"].erase("finalizers");
  rewrite(objects, resource, std::move(changed));
}

void add_finalizer(Objects& objects, const Resource& resource, const Json& object, const std::string& finalizer) {
  if (is_leaving(object) || has_finalizer(object, finalizer)) return;
  auto changed = object;
  changed["metadata"]["finalizers"].push_back(finalizer);
  rewrite(objects, resource, std::move(changed));
}

void tell(Objects& objects, const Json& about, const News& news) {
  const auto what = hex(sha256(uid_of(about) + "\n" + news.reason + "\n" + news.message));
  constexpr std::size_t length = 16;
  const auto name = name_of(about) + "." + what.substr(0, length);
  if (objects.storage().get({"events", ns_of(about), name})) return;
  const auto now = rfc3339(objects.clock().now());
  try_create(objects, built_in("events"), ns_of(about),
             {{"metadata", {{"name", name}}},
              {"involvedObject",
               {{"apiVersion", string_at(about, "apiVersion")},
                {"kind", string_at(about, "kind")},
                {"namespace", ns_of(about)},
                {"name", name_of(about)},
                {"uid", uid_of(about)},
                {"resourceVersion", string_at(about, "metadata.resourceVersion")}}},
              {"type", news.type},
              {"reason", news.reason},
              {"message", news.message},
              {"source", {{"component", news.component}}},
              {"firstTimestamp", now},
              {"lastTimestamp", now},
              {"count", 1}});
}

}  // namespace mtc::sandbox
