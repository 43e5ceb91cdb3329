#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "json/json.hpp"
#include "json/schema.hpp"
#include "json/selector.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/objects.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kInvalid = "FieldValueInvalid";
constexpr auto kForbidden = "FieldValueForbidden";
constexpr auto kRequired = "FieldValueRequired";
constexpr auto kImmutable = "field is immutable";

/// Collects what is wrong with an object.
class Complaints {
 public:
  void invalid(const std::string& field, const Json& value, const std::string& why) {
    causes_.push_back({field, kInvalid, fmt::format("Invalid value: {}: {}", dump(value), why)});
  }
  void forbidden(const std::string& field, const std::string& why) {
    causes_.push_back({field, kForbidden, "Forbidden: " + why});
  }
  void required(const std::string& field, const std::string& why = "") {
    causes_.push_back({field, kRequired, why.empty() ? "Required value" : "Required value: " + why});
  }
  void immutable(const Json& before, const Json& after, const std::string& field) {
    const auto *old = find(before, field), *now = find(after, field);
    const bool same = old == nullptr || now == nullptr ? old == now : *old == *now;
    if (!same) invalid(field, now != nullptr ? *now : Json(), kImmutable);
  }
  void add(Cause cause) { causes_.push_back(std::move(cause)); }
  const std::vector<Cause>& causes() const { return causes_; }

 private:
  std::vector<Cause> causes_;
};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// The last part of a label's key, or its value.
bool is_label_name(const std::string& text) {
  const auto is_end = [](char c) { return is_name_character(c) && c != '-' && c != '_' && c != '.'; };
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, is_name_character) && is_end(text.front()) &&
         is_end(text.back());
}

bool is_qualified(const std::string& key) {
  const auto slash = key.find('/');
  if (slash == std::string::npos) return is_label_name(key);
  return is_dns_subdomain(key.substr(0, slash)) && is_label_name(key.substr(slash + 1));
}

void check_name(const Resource& resource, const Json& object, Complaints& out) {
  const auto name = string_at(object, "metadata.name");
  if (name.empty()) return out.required("metadata.name", "name or generateName is required");
  if (resource.type.group == "rbac.authorization.k8s.io") return;
  const auto& kind = resource.type.kind;
  const bool is_label = kind == "Namespace" || kind == "Service";
  if (is_label && !is_dns_label(name)) {
    out.invalid("metadata.name", name,
                kind == "Service"
                    ? "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
                      "alphabetic character, and end with an alphanumeric character"
                    : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
                      "start and end with an alphanumeric character");
  } else if (!is_label && !is_dns_subdomain(name)) {
    out.invalid("metadata.name", name,
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and "
                "must start and end with an alphanumeric character");
  }
}

void check_metadata(const Json& object, Complaints& out) {
  for (const auto& [key, value] : object_at(object, "metadata.labels").items()) {
    if (!is_qualified(key)) out.invalid("metadata.labels", key, "name part must consist of alphanumeric characters");
    if (!value.is_string()) throw Failure(400, "BadRequest", "metadata.labels: a value is no string");
    const auto& text = value.get_ref<const std::string&>();
    if (!text.empty() && !is_label_name(text))
      out.invalid("metadata.labels", text,
                  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
                  "must start and end with an alphanumeric character");
  }
  for (const auto& [key, value] : object_at(object, "metadata.annotations").items()) {
    if (!value.is_string())
      throw Failure(400, "BadRequest", "metadata.annotations: the value of " + key + " is no string");
  }
  for (const auto& finalizer : strings_at(object, "metadata.finalizers")) {
    const bool standard = finalizer == "orphan" || finalizer == "foregroundDeletion" || finalizer == "kubernetes";
    if (!standard && !(finalizer.contains('/') && is_qualified(finalizer)))
      out.invalid("metadata.finalizers", finalizer,
                  "name is neither a standard finalizer name nor is it fully qualified");
  }
}

void check_owners(const Json& object, Complaints& out) {
  std::size_t index = 0;
  for (const auto& owner : array_at(object, "metadata.ownerReferences")) {
    const auto at = fmt::format("metadata.ownerReferences[{}]", index++);
    for (const auto* field : {"apiVersion", "kind", "name", "uid"}) {
      if (string_at(owner, field).empty()) out.invalid(at + "." + field, "", "must not be empty");
    }
  }
}

/// Who is leaving is held by nobody new.
void check_leaving(const Json& before, const Json& after, Complaints& out) {
  if (string_at(before, "metadata.deletionTimestamp").empty()) return;
  const auto old = strings_at(before, "metadata.finalizers");
  Json added = Json::array();
  for (const auto& finalizer : strings_at(after, "metadata.finalizers")) {
    const bool by_server = finalizer == "orphan" || finalizer == "foregroundDeletion";
    if (!by_server && std::ranges::find(old, finalizer) == old.end()) added.push_back(finalizer);
  }
  if (!added.empty())
    out.forbidden("metadata.finalizers",
                  "no new finalizers can be added if the object is being deleted, found new finalizers " + dump(added));
}

void check_data(const Json* before, const Json& after, Complaints& out) {
  for (const auto* field : {"data", "binaryData"}) {
    for (const auto& entry : object_at(after, field).items()) {
      const auto& key = entry.key();
      if (key.empty() || key.size() > 253 || !std::ranges::all_of(key, is_name_character))
        out.invalid(fmt::format("{}[{}]", field, key), key,
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'");
    }
  }
  if (before == nullptr || !bool_at(*before, "immutable")) return;
  if (!bool_at(after, "immutable")) out.forbidden("immutable", std::string(kImmutable) + " when `immutable` is set");
  for (const auto* field : {"data", "binaryData"}) {
    if (object_at(*before, field) != object_at(after, field))
      out.forbidden(field, std::string(kImmutable) + " when `immutable` is set");
  }
}

void check_service(const Json* before, const Json& after, Complaints& out) {
  const auto& ports = array_at(after, "spec.ports");
  const bool needs_ports =
      string_at(after, "spec.type") != "ExternalName" && string_at(after, "spec.clusterIP") != "None";
  if (needs_ports && ports.empty()) out.required("spec.ports");
  if (before == nullptr || string_at(after, "spec.type") == "ExternalName") return;
  const auto was = string_at(*before, "spec.clusterIP"), is = string_at(after, "spec.clusterIP");
  if (!was.empty() && was != is) out.invalid("spec.clusterIPs[0]", Json::array({is}), "may not change once set");
}

void check_pod_spec(const Json& spec, const std::string& field, Complaints& out) {
  const auto& containers = array_at(spec, "containers");
  if (containers.empty()) out.required(field + ".containers");
  std::vector<std::string> names;
  for (const auto& container : containers) {
    const auto at = fmt::format("{}.containers[{}]", field, names.size());
    const auto name = string_at(container, "name");
    if (name.empty()) out.required(at + ".name");
    if (std::ranges::find(names, name) != names.end())
      out.add({at + ".name", "FieldValueDuplicate", fmt::format("Duplicate value: {}", dump(Json(name)))});
    names.push_back(name);
  }
}

/// Volumes as devices: of claims alone, and not as directories too.
void check_devices(const Json& spec, const std::string& field, Complaints& out) {
  std::size_t index = 0;
  for (const auto& container : array_at(spec, "containers")) {
    const auto list = fmt::format("{}.containers[{}].volumeDevices", field, index++);
    std::size_t number = 0;
    for (const auto& device : array_at(container, "volumeDevices")) {
      const auto at = fmt::format("{}[{}]", list, number++);
      const auto name = string_at(device, "name"), path = string_at(device, "devicePath");
      const auto is_it = [&](const Json& entry) { return string_at(entry, "name") == name; };
      const auto volume = std::ranges::find_if(array_at(spec, "volumes"), is_it);
      if (volume == array_at(spec, "volumes").end()) {
        out.add({at + ".name", "FieldValueNotFound", fmt::format("Not found: {}", dump(Json(name)))});
      } else if (!volume->contains("persistentVolumeClaim") && !volume->contains("ephemeral")) {
        out.invalid(at + ".name", name,
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
      }
      if (path.empty()) out.required(at + ".devicePath");
      if (path.contains("..")) out.invalid(at + ".devicePath", path, "can not contain backsteps ('..')");
      if (std::ranges::any_of(array_at(container, "volumeMounts"), is_it))
        out.invalid(at + ".name", name, "must not already exist in volumeMounts");
    }
  }
}

void check_workload(const Json* before, const Json& after, Complaints& out) {
  const auto& selector = object_at(after, "spec.selector");
  if (selector.empty()) {
    out.required("spec.selector");
  } else if (!Selector::from_json(selector).matches(object_at(after, "spec.template.metadata.labels"))) {
    out.invalid("spec.template.metadata.labels", object_at(after, "spec.template.metadata.labels"),
                "`selector` does not match template `labels`");
  }
  if (int_at(after, "spec.replicas").value_or(0) < 0)
    out.invalid("spec.replicas", after["spec"]["replicas"], "must be greater than or equal to 0");
  check_pod_spec(object_at(after, "spec.template.spec"), "spec.template.spec", out);
  if (before != nullptr) out.immutable(*before, after, "spec.selector");
}

/// Of a pod that is there, only images and a few numbers change; the scheduler gives it a node.
void check_pod_update(const Json& before, const Json& after, Complaints& out) {
  static constexpr std::array changeable = {"activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations",
                                            "schedulingGates"};
  auto old = object_at(before, "spec"), now = object_at(after, "spec");
  if (string_at(before, "spec.nodeName").empty()) now.erase("nodeName");
  for (auto* spec : {&old, &now}) {
    for (const auto* field : changeable) spec->erase(field);
    for (const auto* list : {"containers", "initContainers"}) {
      if (!spec->contains(list)) continue;
      for (auto& container : (*spec)[list]) {
        for (const auto* field : {"image", "imagePullPolicy"}) container.erase(field);
      }
    }
  }
  if (old != now)
    out.forbidden("spec",
                  "pod updates may not change fields other than `spec.containers[*].image`, "
                  "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to "
                  "existing tolerations), `spec.terminationGracePeriodSeconds`");
}

/// A StatefulSet lets only some of its fields change.
void check_stateful_set(const Json& before, const Json& after, Complaints& out) {
  static constexpr std::array changeable = {"replicas",
                                            "ordinals",
                                            "template",
                                            "updateStrategy",
                                            "revisionHistoryLimit",
                                            "persistentVolumeClaimRetentionPolicy",
                                            "minReadySeconds"};
  auto old = object_at(before, "spec"), now = object_at(after, "spec");
  for (const auto* field : changeable) {
    old.erase(field);
    now.erase(field);
  }
  if (old != now)
    out.forbidden("spec",
                  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                  "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                  "'minReadySeconds' are forbidden");
}

/// A claim that is bound lets only its request grow.
void check_claim(const Json* before, const Json& after, Complaints& out) {
  if (array_at(after, "spec.accessModes").empty())
    out.required("spec.accessModes", "at least 1 access mode is required");
  if (find(after, "spec.resources.requests.storage") == nullptr) out.required("spec.resources[storage]");
  if (before == nullptr) return;
  auto old = object_at(*before, "spec"), now = object_at(after, "spec");
  const bool is_bound = string_at(*before, "status.phase") == "Bound";
  for (auto* spec : {&old, &now}) {
    for (const auto* field : {"volumeName", "volumeAttributesClassName"}) spec->erase(field);
    if (is_bound) spec->erase("resources");
  }
  const auto *bound = find(*before, "spec.volumeName"), *volume = find(after, "spec.volumeName");
  const bool rebound = bound != nullptr && (volume == nullptr || *volume != *bound);
  if (old != now || rebound)
    out.forbidden("spec",
                  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
                  "claims");
}

void check_definition(const Json* before, const Json& after, Complaints& out) {
  const auto wanted = string_at(after, "spec.names.plural") + "." + string_at(after, "spec.group");
  if (string_at(after, "metadata.name") != wanted)
    out.invalid("metadata.name", after["metadata"]["name"], "must be spec.names.plural+\".\"+spec.group");
  const auto& versions = array_at(after, "spec.versions");
  const auto scope = string_at(after, "spec.scope");
  if (scope != "Namespaced" && scope != "Cluster")
    out.add({"spec.scope", "FieldValueNotSupported",
             fmt::format("Unsupported value: \"{}\": supported values: \"Cluster\", \"Namespaced\"", scope)});
  const auto stored = std::ranges::count_if(versions, [](const Json& version) { return bool_at(version, "storage"); });
  if (stored != 1) out.invalid("spec.versions", versions, "must have exactly one version marked as storage version");
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (find(versions[i], "schema.openAPIV3Schema") == nullptr)
      out.required(fmt::format("spec.versions[{}].schema.openAPIV3Schema", i), "schemas are required");
    for (std::size_t other = 0; other < i; ++other) {
      if (string_at(versions[other], "name") == string_at(versions[i], "name"))
        out.invalid(fmt::format("spec.versions[{}].name", i), versions[i]["name"], "must be unique");
    }
  }
  if (before == nullptr) return;
  for (const auto* field : {"spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"})
    out.immutable(*before, after, field);
}

void check_built_in(const Resource& resource, const Json* before, const Json& after, Complaints& out) {
  const auto& kind = resource.type.kind;
  if (kind == "ConfigMap" || kind == "Secret") {
    check_data(before, after, out);
    if (kind == "Secret" && before != nullptr) out.immutable(*before, after, "type");
  } else if (kind == "Service") {
    check_service(before, after, out);
  } else if (kind == "Pod") {
    check_pod_spec(object_at(after, "spec"), "spec", out);
    check_devices(object_at(after, "spec"), "spec", out);
    if (before != nullptr) check_pod_update(*before, after, out);
  } else if (kind == "Event") {
    if (string_at(after, "involvedObject.namespace") != string_at(after, "metadata.namespace"))
      out.invalid("involvedObject.namespace", string_at(after, "involvedObject.namespace"),
                  "does not match event.namespace");
  } else if (kind == "Deployment" || kind == "ReplicaSet" || kind == "DaemonSet" || kind == "StatefulSet") {
    check_workload(kind == "StatefulSet" ? nullptr : before, after, out);
    // Volumes of a set may be those of its claim templates.
    if (kind != "StatefulSet") check_devices(object_at(after, "spec.template.spec"), "spec.template.spec", out);
    if (kind == "StatefulSet" && before != nullptr) check_stateful_set(*before, after, out);
  } else if (kind == "Job") {
    check_pod_spec(object_at(after, "spec.template.spec"), "spec.template.spec", out);
    if (before != nullptr) {
      for (const auto* field : {"spec.selector", "spec.template", "spec.completionMode"})
        out.immutable(*before, after, field);
    }
  } else if (kind == "PersistentVolumeClaim") {
    check_claim(before, after, out);
  } else if (kind == "RoleBinding" || kind == "ClusterRoleBinding") {
    if (before != nullptr && object_at(*before, "roleRef") != object_at(after, "roleRef"))
      out.invalid("roleRef", object_at(after, "roleRef"), "cannot change roleRef");
  } else if (kind == "StorageClass") {
    if (before != nullptr && string_at(*before, "provisioner") != string_at(after, "provisioner"))
      out.forbidden("provisioner", "updates to provisioner are forbidden.");
  } else if (kind == "CustomResourceDefinition") {
    check_definition(before, after, out);
  }
}

}  // namespace

void throw_invalid(const Resource& resource, const std::string& name, const std::vector<Cause>& causes) {
  Json list = Json::array();
  std::vector<std::string> texts;
  for (const auto& cause : causes) {
    list.push_back({{"reason", cause.reason}, {"message", cause.message}, {"field", cause.field}});
    texts.push_back(cause.field + ": " + cause.message);
  }
  const auto kind = resource.type.kind + (resource.type.group.empty() ? "" : "." + resource.type.group);
  throw Failure(422, "Invalid",
                fmt::format("{} \"{}\" is invalid: {}", kind, name,
                            texts.size() == 1 ? texts.front() : "[" + join(texts, ", ") + "]"),
                {{"name", name}, {"group", resource.type.group}, {"kind", resource.type.kind}, {"causes", list}});
}

void validate(const Resource& resource, const Json* before, const Json& after) {
  Complaints out;
  check_name(resource, after, out);
  check_metadata(after, out);
  check_owners(after, out);
  if (before != nullptr) check_leaving(*before, after, out);
  if (!resource.custom) {
    check_built_in(resource, before, after, out);
  } else if (!resource.schema.is_null()) {
    for (auto& violation : validate_schema(resource.schema, after))
      out.add({violation.field, violation.reason, violation.message});
  }
  if (!out.causes().empty()) throw_invalid(resource, string_at(after, "metadata.name"), out.causes());
}

}  // namespace mtc::sandbox
