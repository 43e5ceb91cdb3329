#include "sandbox/objects.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "json/schema.hpp"
#include "sandbox/built_in_types.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/pod_command.hpp"
#include "sandbox/pod_security.hpp"
#include "sandbox/quota.hpp"
#include "sandbox/storage_class.hpp"

namespace mtc::sandbox {
namespace {

/// Holds a definition while there are objects of its kind.
constexpr auto kCleanup = "customresourcecleanup.apiextensions.k8s.io";

constexpr std::array kFixedFields = {"uid",  "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
                                     "name", "namespace",         "generation"};

Json details_of(const Resource& resource, const std::string& name) {
  return {{"name", name}, {"group", resource.type.group}, {"kind", resource.type.plural}};
}

std::string quoted(const Resource& resource, const std::string& name) {
  return fmt::format("{} \"{}\"", resource.type.group_resource(), name);
}

/// How long a pod may take to leave: one that is a process is asked to end first; records are gone at once.
std::int64_t grace_of(const Resource& resource, const Json& stored, const Json& options) {
  const auto phase = string_at(stored, "status.phase");
  const bool runs = resource.type.kind == "Pod" && is_process(stored) && phase != "Succeeded" && phase != "Failed" &&
                    !string_at(stored, "spec.nodeName").empty();
  if (!runs) return 0;
  const auto own = int_at(stored, "spec.terminationGracePeriodSeconds").value_or(0);
  return std::max<std::int64_t>(0, int_at(options, "gracePeriodSeconds").value_or(own));
}

[[noreturn]] void throw_conflict(const Resource& resource, const std::string& name, const std::string& why) {
  throw Failure(409, "Conflict", fmt::format("Operation cannot be fulfilled on {}: {}", quoted(resource, name), why),
                details_of(resource, name));
}

void check_version(const Resource& resource, const Json& stored, const std::string& wanted) {
  if (wanted.empty() || wanted == string_at(stored, "metadata.resourceVersion")) return;
  throw_conflict(resource, string_at(stored, "metadata.name"),
                 "the object has been modified; please apply your changes to the latest version and try again");
}

void check_uid(const Resource& resource, const Json& stored, const std::string& wanted) {
  const auto uid = string_at(stored, "metadata.uid");
  if (wanted.empty() || wanted == uid) return;
  throw_conflict(resource, string_at(stored, "metadata.name"),
                 fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}", wanted, uid));
}

/// Kinds whose changes of intent are counted in metadata.generation.
bool counts_generations(const Resource& resource) {
  static constexpr std::array<std::string_view, 14> kinds = {
      "Deployment",   "ReplicaSet", "StatefulSet",   "DaemonSet", "ReplicationController", "Job",
      "CronJob",      "Pod",        "NetworkPolicy", "Ingress",   "PodDisruptionBudget",   "CustomResourceDefinition",
      "EndpointSlice"};
  return resource.custom || std::ranges::find(kinds, resource.type.kind) != kinds.end();
}

/// What a generation counts: all but metadata, and but status if that is written apart.
Json intent_of(const Resource& resource, Json object) {
  object.erase("metadata");
  if (resource.status_subresource) object.erase("status");
  return object;
}

void drop_nulls(Json& value) {
  if (value.is_array()) {
    for (auto& element : value) drop_nulls(element);
  }
  if (!value.is_object()) return;
  for (auto at = value.begin(); at != value.end();) {
    drop_nulls(at.value());
    at = at->is_null() ? value.erase(at) : std::next(at);
  }
}

/// A built-in kind as its type gives it; null is absence there.
void typed(const Resource& resource, Json& object) {
  if (const auto* type = built_in_type(resource.type.kind)) {
    decode(*type, object);
  } else {
    drop_nulls(object);
  }
}

/// The kind's own name and shape: pruned, defaulted, checked against the schema of a custom resource.
void shape(const Resource& resource, Json& object, Rng& rng) {
  object["apiVersion"] = resource.type.api_version();
  object["kind"] = resource.type.kind;
  if (!resource.custom) {
    typed(resource, object);
    return set_defaults(resource, object, rng);
  }
  if (resource.schema.is_null()) return;
  prune(resource.schema, object);
  apply_defaults(resource.schema, object);
}

/// Refuses another kind, and another name than the one in the URL.
void check_identity(const Resource& resource, const Json& object, const std::string& ns, const std::string& name) {
  if (!object.is_object()) throw Failure(400, "BadRequest", "the request body is no object");
  const auto kind = string_at(object, "kind"), version = string_at(object, "apiVersion");
  if ((!kind.empty() && kind != resource.type.kind) || (!version.empty() && version != resource.type.api_version())) {
    throw Failure(400, "BadRequest",
                  fmt::format("the object provided is unrecognized (must be of type {}): {}, Kind={}",
                              resource.type.kind, version, kind));
  }
  if (const auto given = string_at(object, "metadata.name"); !name.empty() && !given.empty() && given != name) {
    throw Failure(400, "BadRequest",
                  fmt::format("the name of the object ({}) does not match the name on the URL ({})", given, name));
  }
  const auto given = string_at(object, "metadata.namespace");
  if (resource.type.namespaced && !given.empty() && given != ns) {
    throw Failure(400, "BadRequest",
                  "the namespace of the provided object does not match the namespace sent on the request");
  }
}

}  // namespace

Address Objects::address(const Resource& resource, const std::string& ns, const std::string& name) const {
  return {resource.type.group_resource(), resource.type.namespaced ? ns : "", name};
}

ObjectPtr Objects::as_served(const Resource& resource, ObjectPtr object) {
  if (!resource.custom) return object;
  // What was written in this version, since the definition changed last, has its shape already.
  const bool written_so =
      string_at(*object, "apiVersion") == resource.type.api_version() &&
      std::strtoull(string_at(*object, "metadata.resourceVersion").c_str(), nullptr, 10) > resource.defined_at;
  if (written_so) return object;
  auto shown = *object;
  shown["apiVersion"] = resource.type.api_version();
  if (!resource.schema.is_null()) {
    prune(resource.schema, shown);
    apply_defaults(resource.schema, shown);
  }
  return std::make_shared<const Json>(std::move(shown));
}

ObjectPtr Objects::must_get(const Resource& resource, const std::string& ns, const std::string& name) const {
  auto object = storage_->get(address(resource, ns, name));
  if (!object) throw Failure(404, "NotFound", quoted(resource, name) + " not found", details_of(resource, name));
  return as_served(resource, std::move(object));
}

void Objects::name_it(const Resource& resource, const std::string& ns, Json& object) const {
  check_identity(resource, object, ns, "");
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  if (string_at(metadata, "name").empty() && !string_at(metadata, "generateName").empty())
    metadata["name"] = string_at(metadata, "generateName") + name_suffix(*rng_);
  if (resource.type.namespaced) metadata["namespace"] = ns;
}

/// New objects need a namespace that is there to stay.
void Objects::check_home(const Resource& resource, const std::string& ns, const std::string& name) const {
  if (!resource.type.namespaced) return;
  const auto home = storage_->get({"namespaces", "", ns});
  if (!home)
    throw Failure(404, "NotFound", fmt::format("namespaces \"{}\" not found", ns),
                  Json{{"name", ns}, {"kind", "namespaces"}});
  if (string_at(*home, "status.phase") != "Terminating") return;
  auto details = details_of(resource, name);
  details["causes"] = Json::array({{{"reason", "NamespaceTerminating"},
                                    {"message", fmt::format("namespace {} is being terminated", ns)},
                                    {"field", "metadata.namespace"}}});
  throw Failure(403, "Forbidden",
                fmt::format("{} is forbidden: unable to create new content in namespace {} because it is being "
                            "terminated",
                            quoted(resource, name), ns),
                details);
}

ObjectPtr Objects::create(const Resource& resource, const std::string& ns, Json object, const Manner& manner) {
  name_it(resource, ns, object);
  object["metadata"].erase("managedFields");
  return insert(resource, ns, std::move(object), manner);
}

/// A new object, named; managedFields in it are an apply's.
ObjectPtr Objects::insert(const Resource& resource, const std::string& ns, Json object, const Manner& manner) {
  const auto name = string_at(object, "metadata.name");
  check_home(resource, ns, name);
  const auto at = address(resource, ns, name);
  if (storage_->get(at))
    throw Failure(409, "AlreadyExists", quoted(resource, name) + " already exists", details_of(resource, name));
  auto& metadata = object["metadata"];
  if (!string_at(metadata, "resourceVersion").empty())
    throw Failure(500, "InternalError", "resourceVersion should not be set on objects to be created");
  for (const auto* field : {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"})
    metadata.erase(field);
  metadata["uid"] = uuid4(*rng_);
  metadata["creationTimestamp"] = rfc3339(clock_->now());
  if (counts_generations(resource)) metadata["generation"] = 1;
  if (resource.status_subresource) object.erase("status");
  shape(resource, object, *rng_);
  if (resource.type.kind == "PersistentVolumeClaim") choose_class(*storage_, object);
  validate(resource, nullptr, object);
  if (resource.type.kind == "Pod") check_pod_security(*storage_, object);
  check_quota(*storage_, resource, nullptr, object);
  if (!object["metadata"].contains("managedFields")) {
    Ownership ownership(resource, object);
    ownership.note_update({manner.manager, manner.subresource}, Json::object(), object, clock_->now());
    ownership.store(object);
  }
  if (manner.dry_run == DryRun::kYes) return std::make_shared<const Json>(std::move(object));
  return storage_->put(at, std::move(object));
}

ObjectPtr Objects::update(const Resource& resource, const std::string& ns, const std::string& name, Json object,
                          const Manner& manner) {
  check_identity(resource, object, ns, name);
  return replace(resource, must_get(resource, ns, name), std::move(object), manner, std::nullopt);
}

ObjectPtr Objects::replace(const Resource& resource, const ObjectPtr& stored, Json object, const Manner& manner,
                           std::optional<Ownership> ownership) {
  const auto& before = *stored;
  const auto name = string_at(before, "metadata.name");
  check_version(resource, before, string_at(object, "metadata.resourceVersion"));
  check_uid(resource, before, string_at(object, "metadata.uid"));
  const bool is_apply = ownership.has_value();
  if (!is_apply) {
    // A client may hand in other owners: kubectl does when it takes over what it applied by itself before.
    const bool given = !array_at(object, "metadata.managedFields").empty() && manner.part == Part::kWhole;
    ownership.emplace(resource, given ? object : before);
    object["metadata"].erase("managedFields");
  }
  Json after = before;
  if (manner.part == Part::kStatus) {
    after["status"] = object.contains("status") ? std::move(object["status"]) : Json::object();
  } else {
    after = std::move(object);
    auto& metadata = after["metadata"];
    for (const auto* field : kFixedFields) {
      if (const auto* fixed = member(before["metadata"], field)) {
        metadata[field] = *fixed;
      } else {
        metadata.erase(field);
      }
    }
    if (resource.status_subresource) {
      after.erase("status");
      if (before.contains("status")) after["status"] = before["status"];
    }
  }
  after["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"];
  keep_allocations(resource, before, after);
  shape(resource, after, *rng_);
  validate(resource, &before, after);
  if (resource.type.kind == "PersistentVolumeClaim" && manner.part == Part::kWhole) {
    check_growth(*storage_, before, after);
    check_quota(*storage_, resource, &before, after);
  }
  if (counts_generations(resource) && intent_of(resource, after) != intent_of(resource, before))
    after["metadata"]["generation"] = int_at(before, "metadata.generation").value_or(0) + 1;
  if (!is_apply) ownership->note_update({manner.manager, manner.subresource}, before, after, clock_->now());
  ownership->store(after);
  if (after == before) return stored;
  if (manner.dry_run == DryRun::kYes) return std::make_shared<const Json>(std::move(after));
  return store(resource, address(resource, string_at(before, "metadata.namespace"), name), std::move(after));
}

Objects::Applied Objects::apply(const Resource& resource, const std::string& ns, const std::string& name,
                                Json configuration, Force force, const Manner& manner) {
  check_identity(resource, configuration, ns, name);
  if (string_at(configuration, "apiVersion").empty() || string_at(configuration, "kind").empty())
    throw Failure(400, "BadRequest", "invalid object type: an applied configuration names its apiVersion and kind");
  if (!array_at(configuration, "metadata.managedFields").empty())
    throw Failure(400, "BadRequest", "metadata.managedFields must be nil");
  const auto stored = storage_->get(address(resource, ns, name));
  if (!stored && string_at(configuration, "metadata.name").empty())
    throw Failure(
        400, "BadRequest",
        fmt::format("the name of the object ({} based on URL) was undeterminable: name must be provided", name));
  configuration["metadata"]["name"] = name;
  if (resource.type.namespaced) configuration["metadata"]["namespace"] = ns;
  if (!resource.custom) typed(resource, configuration);
  if (manner.part == Part::kStatus) {
    configuration = {{"apiVersion", configuration["apiVersion"]},
                     {"kind", configuration["kind"]},
                     {"metadata", {{"name", name}}},
                     {"status", object_at(configuration, "status")}};
  } else if (resource.status_subresource) {
    configuration.erase("status");
  }
  const Writer writer{manner.manager, manner.subresource};
  if (!stored && manner.part == Part::kStatus) must_get(resource, ns, name);
  const auto before = stored ? as_served(resource, stored) : std::make_shared<const Json>(Json::object());
  Ownership ownership(resource, *before);
  auto live = *before;
  if (stored) live["metadata"].erase("managedFields");
  auto object = ownership.apply(writer, live, configuration, force, clock_->now());
  ownership.store(object);
  if (!stored) return {insert(resource, ns, std::move(object), manner), true};
  object["metadata"].erase("managedFields");
  // No longer what the server knew best: the version that the configuration names, or any.
  object["metadata"]["resourceVersion"] = string_at(configuration, "metadata.resourceVersion");
  return {replace(resource, before, std::move(object), manner, std::move(ownership)), false};
}

/// Stores, unless the object was only waiting for its last finalizer, or for the end of its process.
ObjectPtr Objects::store(const Resource& resource, const Address& at, Json object) {
  const bool leaving = !string_at(object, "metadata.deletionTimestamp").empty();
  const bool held = !array_at(object, "metadata.finalizers").empty() ||
                    (resource.type.kind == "Namespace" && !array_at(object, "spec.finalizers").empty()) ||
                    int_at(object, "metadata.deletionGracePeriodSeconds").value_or(0) > 0;
  if (leaving && !held) {
    storage_->erase(at);
    if (resource.custom) note_removal(resource);
    return std::make_shared<const Json>(std::move(object));
  }
  return storage_->put(at, std::move(object));
}

/// The last object of a kind that is going takes its definition along.
void Objects::note_removal(const Resource& resource) {
  const auto definition = storage_->get(
      {"customresourcedefinitions.apiextensions.k8s.io", "", resource.type.plural + "." + resource.type.group});
  if (definition && !string_at(*definition, "metadata.deletionTimestamp").empty()) clean_up(*definition);
}

Objects::Removed Objects::remove(const Resource& resource, const std::string& ns, const std::string& name,
                                 const Json& options) {
  const auto stored = must_get(resource, ns, name);
  check_uid(resource, *stored, string_at(options, "preconditions.uid"));
  check_version(resource, *stored, string_at(options, "preconditions.resourceVersion"));
  auto object = *stored;
  auto& metadata = object["metadata"];
  const auto grace = grace_of(resource, *stored, options);
  const bool is_new = string_at(metadata, "deletionTimestamp").empty();
  if (is_new || grace < int_at(metadata, "deletionGracePeriodSeconds").value_or(0)) {
    metadata["deletionTimestamp"] = rfc3339(clock_->now() + std::chrono::seconds(grace));
    metadata["deletionGracePeriodSeconds"] = grace;
    if (is_new && counts_generations(resource)) metadata["generation"] = int_at(metadata, "generation").value_or(0) + 1;
  }
  // The garbage collector's own finalizers say what becomes of the dependents.
  const auto policy = string_at(options, "propagationPolicy");
  const auto* finalizer = policy == "Orphan" ? "orphan" : policy == "Foreground" ? "foregroundDeletion" : nullptr;
  if (finalizer != nullptr) {
    auto& finalizers = metadata["finalizers"];
    if (std::find(finalizers.begin(), finalizers.end(), Json(finalizer)) == finalizers.end())
      finalizers.push_back(finalizer);
  }
  if (resource.type.kind == "Namespace") object["status"]["phase"] = "Terminating";
  if (resource.type.kind == "CustomResourceDefinition") {
    auto& finalizers = metadata["finalizers"];
    if (std::find(finalizers.begin(), finalizers.end(), Json(kCleanup)) == finalizers.end())
      finalizers.push_back(kCleanup);
  }
  if (!array_at(options, "dryRun").empty()) return {std::make_shared<const Json>(std::move(object)), true};
  // What is leaving already does not change by being deleted again: nobody who watches it is woken.
  if (!is_new && object == *stored) return {stored, false};
  const auto at = address(resource, ns, name);
  auto left = store(resource, at, std::move(object));
  if (resource.type.kind == "CustomResourceDefinition") clean_up(*left);
  return {std::move(left), storage_->get(at) == nullptr};
}

void Objects::clean_up(const Json& definition) {
  const auto place = string_at(definition, "spec.names.plural") + "." + string_at(definition, "spec.group");
  for (const auto& object : storage_->list(place, "")) {
    const auto at = Address{place, string_at(*object, "metadata.namespace"), string_at(*object, "metadata.name")};
    if (!string_at(*object, "metadata.deletionTimestamp").empty()) continue;
    Resource resource;  // in no version: removal asks for none
    resource.type = {string_at(definition, "spec.group"), "", string_at(definition, "spec.names.plural"), "",
                     !at.ns.empty()};
    remove(resource, at.ns, at.name, Json::object());
  }
  if (!storage_->list(place, "").empty()) return;
  const auto name = string_at(definition, "metadata.name");
  const auto resource = resources_.find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  auto last = *must_get(*resource, "", name);
  auto& finalizers = last["metadata"]["finalizers"];
  finalizers.erase(std::remove(finalizers.begin(), finalizers.end(), Json(kCleanup)), finalizers.end());
  store(*resource, address(*resource, "", name), std::move(last));
}

}  // namespace mtc::sandbox
