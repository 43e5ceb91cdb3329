#include "sandbox/filter.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

std::string text_at(const Json& object, const std::string& path) {
  const auto* at = find(object, path);
  if (at == nullptr) return "";
  return at->is_string() ? at->get<std::string>() : dump(*at);
}

/// The fields of a kind that lists may be selected by, beside its name and namespace.
bool is_selectable(const Resource& resource, const std::string& field) {
  static const std::map<std::string, std::set<std::string>> fields = {
      {"Pod",
       {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.nominatedNodeName"}},
      {"Event",
       {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type"}},
      {"Secret", {"type"}},
      {"Namespace", {"status.phase"}},
      {"Node", {"spec.unschedulable"}},
      {"Service", {"spec.clusterIP", "spec.type"}},
      {"ReplicationController", {"status.replicas"}},
      {"ReplicaSet", {"status.replicas"}},
      {"Job", {"status.successful"}}};
  if (field == "metadata.name" || (resource.type.namespaced && field == "metadata.namespace")) return true;
  if (resource.custom)
    return std::ranges::find(resource.selectable_fields, "." + field) != resource.selectable_fields.end();
  const auto known = fields.find(resource.type.kind);
  return known != fields.end() && known->second.contains(field);
}

}  // namespace

Filter::Filter(const Resource& resource, const http::ServerRequest& request)
    : labels_(Selector::parse(request.param("labelSelector"))),
      fields_(Selector::parse_fields(request.param("fieldSelector"))) {
  for (const auto& requirement : fields_.requirements()) {
    if (!is_selectable(resource, requirement.key))
      throw Failure(400, "BadRequest", fmt::format("field label not supported: {}", requirement.key));
  }
}

std::string Filter::only_name() const {
  for (const auto& requirement : fields_.requirements()) {
    if (requirement.key == "metadata.name" && requirement.op == Selector::Op::kIn && requirement.values.size() == 1)
      return requirement.values.front();
  }
  return "";
}

bool Filter::matches(const Json& object) const {
  if (!labels_.empty() && !labels_.matches(object_at(object, "metadata.labels"))) return false;
  if (fields_.empty()) return true;
  std::map<std::string, std::string> values;
  for (const auto& requirement : fields_.requirements()) values[requirement.key] = text_at(object, requirement.key);
  return fields_.matches(values);
}

std::string Filter::event_type(const Event& event) const {
  const bool now = event.type != Event::Type::kDeleted && matches(*event.object);
  const bool before = event.previous != nullptr && matches(*event.previous);
  if (now && !before) return "ADDED";
  if (now) return "MODIFIED";
  return before ? "DELETED" : "";
}

}  // namespace mtc::sandbox
