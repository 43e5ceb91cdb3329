#include "sandbox/objects.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "json/schema.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

Json details_of(const Resource& resource, const std::string& name) {
  return {{"name", name}, {"group", resource.type.group}, {"kind", resource.type.plural}};
}

std::string quoted(const Resource& resource, const std::string& name) {
  return fmt::format("{} \"{}\"", resource.type.group_resource(), name);
}

/// Everything but metadata and status: what a generation counts.
Json intent_of(Json object) {
  object.erase("metadata");
  object.erase("status");
  return object;
}

}  // namespace

Address Objects::address(const Resource& resource, const std::string& ns, const std::string& name) const {
  return {resource.type.group_resource(), resource.type.namespaced ? ns : "", name};
}

Json Objects::must_get(const Resource& resource, const std::string& ns, const std::string& name) const {
  auto object = storage_->get(address(resource, ns, name));
  if (!object) throw Failure(404, "NotFound", quoted(resource, name) + " not found", details_of(resource, name));
  (*object)["apiVersion"] = resource.type.api_version();  // any served version of a custom resource
  return std::move(*object);
}

void Objects::check(const Resource& resource, Json& object) const {
  object["apiVersion"] = resource.type.api_version();
  object["kind"] = resource.type.kind;
  if (!resource.custom || resource.schema.is_null()) return;
  prune(resource.schema, object);
  apply_defaults(resource.schema, object);
  const auto violations = validate_schema(resource.schema, object);
  if (violations.empty()) return;
  Json causes = Json::array();
  std::vector<std::string> texts;
  for (const auto& violation : violations) {
    causes.push_back({{"reason", violation.reason}, {"message", violation.message}, {"field", violation.field}});
    texts.push_back(violation.field + ": " + violation.message);
  }
  const auto name = string_at(object, "metadata.name");
  auto details = details_of(resource, name);
  details["causes"] = causes;
  const auto list = texts.size() == 1 ? texts.front() : "[" + join(texts, ", ") + "]";
  throw Failure(422, "Invalid",
                fmt::format("{}.{} \"{}\" is invalid: {}", resource.type.kind, resource.type.group, name, list),
                details);
}

Json Objects::create(const Resource& resource, const std::string& ns, Json object, DryRun dry_run) {
  if (!object.is_object()) throw Failure(400, "BadRequest", "the request body is no object");
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  auto name = string_at(metadata, "name");
  if (name.empty() && !string_at(metadata, "generateName").empty())
    name = string_at(metadata, "generateName") + name_suffix(*rng_);
  if (name.empty())
    throw Failure(422, "Invalid",
                  fmt::format("{} \"\" is invalid: metadata.name: Required value: name or generateName is required",
                              resource.type.kind));
  const bool free_name = resource.type.group == "rbac.authorization.k8s.io";
  if (!free_name && !is_dns_subdomain(name)) {
    throw Failure(
        422, "Invalid",
        fmt::format(
            "{} \"{}\" is invalid: metadata.name: Invalid value: \"{}\": a lowercase RFC 1123 subdomain must consist "
            "of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            resource.type.kind, name, name));
  }
  metadata["name"] = name;
  if (resource.type.namespaced) {
    if (const auto given = string_at(metadata, "namespace"); !given.empty() && given != ns) {
      throw Failure(400, "BadRequest",
                    "the namespace of the provided object does not match the namespace sent on the request");
    }
    metadata["namespace"] = ns;
    const auto home = storage_->get({"namespaces", "", ns});
    if (!home)
      throw Failure(404, "NotFound", fmt::format("namespaces \"{}\" not found", ns),
                    Json{{"name", ns}, {"kind", "namespaces"}});
    if (string_at(*home, "status.phase") == "Terminating") {
      throw Failure(
          403, "Forbidden",
          fmt::format("{} is forbidden: unable to create new content in namespace {} because it is being terminated",
                      quoted(resource, name), ns));
    }
  }
  const auto at = address(resource, ns, name);
  if (storage_->get(at))
    throw Failure(409, "AlreadyExists", quoted(resource, name) + " already exists", details_of(resource, name));
  metadata["uid"] = uuid4(*rng_);
  metadata["creationTimestamp"] = rfc3339(clock_->now());
  metadata["generation"] = 1;
  for (const auto* field : {"deletionTimestamp", "resourceVersion", "selfLink", "managedFields"}) metadata.erase(field);
  if (resource.status_subresource) object.erase("status");
  check(resource, object);
  set_defaults(resource, object, *rng_);
  if (dry_run == DryRun::kYes) return object;
  return storage_->put(at, std::move(object));
}

Json Objects::update(const Resource& resource, const std::string& ns, const std::string& name, Json object, Part part,
                     DryRun dry_run) {
  const auto before = must_get(resource, ns, name);
  const auto given = string_at(object, "metadata.resourceVersion");
  if (!given.empty() && given != string_at(before, "metadata.resourceVersion")) {
    throw Failure(409, "Conflict",
                  fmt::format("Operation cannot be fulfilled on {}: the object has been modified; please apply your "
                              "changes to the latest version and try again",
                              quoted(resource, name)),
                  details_of(resource, name));
  }
  if (const auto uid = string_at(object, "metadata.uid"); !uid.empty() && uid != string_at(before, "metadata.uid")) {
    throw Failure(
        409, "Conflict",
        fmt::format(
            "Operation cannot be fulfilled on {}: Precondition failed: UID in precondition: {}, UID in object meta: {}",
            quoted(resource, name), uid, string_at(before, "metadata.uid")));
  }
  Json after = before;
  if (part == Part::kStatus) {
    after["status"] = object.contains("status") ? object["status"] : Json::object();
  } else {
    after = std::move(object);
    for (const auto* field : {"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "name",
                              "namespace", "generation"}) {
      if (before["metadata"].contains(field)) {
        after["metadata"][field] = before["metadata"][field];
      } else {
        after["metadata"].erase(field);
      }
    }
    after["metadata"].erase("managedFields");
    if (resource.status_subresource) {
      after.erase("status");
      if (before.contains("status")) after["status"] = before["status"];
    }
  }
  check(resource, after);
  set_defaults(resource, after, *rng_);
  after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"];
  // Without a status subresource every change of the body counts, as on a real server.
  const bool counts = resource.status_subresource ? intent_of(after) != intent_of(before) : [&] {
    auto a = after, b = before;
    a.erase("metadata");
    b.erase("metadata");
    return a != b;
  }();
  if (counts) after["metadata"]["generation"] = int_at(before, "metadata.generation").value_or(0) + 1;
  if (after == before || dry_run == DryRun::kYes) return after;
  return store(resource, address(resource, ns, name), std::move(after));
}

/// Stores, unless the object was only waiting for its last finalizer.
Json Objects::store(const Resource& resource, const Address& at, Json object) {
  const bool leaving = !string_at(object, "metadata.deletionTimestamp").empty();
  const bool held = !array_at(object, "metadata.finalizers").empty() ||
                    (resource.type.kind == "Namespace" && !array_at(object, "spec.finalizers").empty());
  if (leaving && !held) {
    storage_->erase(at);
    return object;
  }
  return storage_->put(at, std::move(object));
}

Json Objects::remove(const Resource& resource, const std::string& ns, const std::string& name, const Json& options) {
  auto object = must_get(resource, ns, name);
  const auto wanted = string_at(options, "preconditions.uid");
  if (!wanted.empty() && wanted != string_at(object, "metadata.uid")) {
    throw Failure(
        409, "Conflict",
        fmt::format(
            "Operation cannot be fulfilled on {}: Precondition failed: UID in precondition: {}, UID in object meta: {}",
            quoted(resource, name), wanted, string_at(object, "metadata.uid")));
  }
  if (string_at(object, "metadata.deletionTimestamp").empty()) {
    object["metadata"]["deletionTimestamp"] = rfc3339(clock_->now());
    object["metadata"]["deletionGracePeriodSeconds"] = int_at(options, "gracePeriodSeconds").value_or(0);
  }
  if (resource.type.kind == "Namespace") object["status"]["phase"] = "Terminating";
  if (string_at(options, "propagationPolicy") == "Orphan")
    object["metadata"]["annotations"]["sandbox.mtc/orphan"] = "true";
  return store(resource, address(resource, ns, name), std::move(object));
}

}  // namespace mtc::sandbox
