#include "backup/item_rules.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "backup/asked_ports.hpp"
#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "kube/resource.hpp"

namespace mtc::backup {
namespace {

using Changes = std::vector<std::string>;

constexpr std::array kNever = {"nodes",
                               "events",
                               "events.events.k8s.io",
                               "backups.velero.io",
                               "restores.velero.io",
                               "resticrepositories.velero.io",
                               "backuprepositories.velero.io",
                               "csinodes.storage.k8s.io",
                               "volumeattachments.storage.k8s.io"};

/// Built-in controllers that make their dependents again; an operator may not be there on the destination, so its
/// dependents travel.
constexpr std::array kRemakers = {"Deployment", "ReplicaSet", "StatefulSet",           "DaemonSet",
                                  "Job",        "CronJob",    "ReplicationController", "DeploymentConfig",
                                  "Service",    "Endpoints"};

/// The controller among the owner references that is itself archived and will make this object again.
std::optional<std::string> remaker_of(const Json& object, const RestoreContext& context) {
  for (const auto& owner : array_at(object, "metadata.ownerReferences")) {
    const auto kind = string_at(owner, "kind");
    if (std::ranges::find(kRemakers, kind) == kRemakers.end()) continue;
    const auto at = context.owners.find(string_at(owner, "uid"));
    if (at != context.owners.end()) return at->second;
  }
  return std::nullopt;
}

bool is_finished(const Json& object) {
  const auto phase = string_at(object, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

std::optional<std::string> skip_by_kind(const ArchivedObject& where, const Json& object,
                                        const RestoreContext& context) {
  const auto& kind = where.group_resource;
  if (kind == "pods") {
    if (is_finished(object)) return "it has finished";
    if (!kube::annotation(object, "kubernetes.io/config.mirror").empty()) return "it is the mirror of a static pod";
  }
  if (kind == "jobs.batch" && !string_at(object, "status.completionTime").empty()) return "it has finished";
  if (kind == "configmaps" && (where.name == "kube-root-ca.crt" || where.name == "openshift-service-ca.crt"))
    return "the cluster makes its own";
  if (kind == "endpoints" || kind == "endpointslices.discovery.k8s.io") {
    const auto service = kind == "endpoints" ? where.name : kube::label(object, "kubernetes.io/service-name");
    const auto at = context.services.find(where.ns + "/" + service);
    if (at != context.services.end() && at->second) return "made again for Service " + service;
  }
  if (kind == "secrets" && string_at(object, "type") == "kubernetes.io/service-account-token") {
    const auto account = kube::annotation(object, "kubernetes.io/service-account.name");
    if (where.name.starts_with(account + "-token-"))
      return "the cluster makes tokens for ServiceAccount " + account + " itself";
  }
  if (kind == "apiservices.apiregistration.k8s.io" &&
      !kube::label(object, "kube-aggregator.kubernetes.io/automanaged").empty())
    return "the cluster manages it";
  return std::nullopt;
}

/// The member `name` if it is an object; nullptr if it is not: what an archive holds is not always what its path says,
/// and the destination's API server says so best.
Json* object_in(Json& value, const char* name) {
  const auto* at = member(value, name);
  return at != nullptr && at->is_object() ? &value[name] : nullptr;
}

/// The elements of the list `name` that satisfy `gone` are taken out; returns how many.
template <typename Gone>
std::size_t remove_from(Json& value, const char* name, const Gone& gone) {
  const auto* at = member(value, name);
  if (at == nullptr || !at->is_array()) return 0;
  auto& list = value[name];
  const auto before = list.size();
  list.erase(std::remove_if(list.begin(), list.end(), gone), list.end());
  return before - list.size();
}

void adapt_service(Json& object, const AskedPorts& asked, Changes& changes) {
  auto* const at = object_in(object, "spec");
  if (at == nullptr) return;
  auto& spec = *at;
  if (const auto ip = string_at(spec, "clusterIP"); !ip.empty() && ip != "None") {
    spec.erase("clusterIP");
    spec.erase("clusterIPs");
    changes.emplace_back("a new cluster IP");
  }
  bool ports = false;
  if (!array_at(spec, "ports").empty()) {
    for (auto& port : spec["ports"]) {
      if (port.is_object() && !asked.node_port(port)) ports = port.erase("nodePort") > 0 || ports;
    }
  }
  if (!asked.health_check() && spec.erase("healthCheckNodePort") > 0) ports = true;
  if (ports) changes.emplace_back("new node ports");
}

void adapt_pod(Json& object, Changes& changes) {
  auto* const at = object_in(object, "spec");
  if (at == nullptr) return;
  auto& spec = *at;
  spec.erase("nodeName");
  spec.erase("priority");
  const auto legacy = string_at(spec, "serviceAccountName") + "-token-";
  const auto is_token = [&](const Json& entry) {
    const auto name = string_at(entry, "name");
    return name.starts_with("kube-api-access-") || name.starts_with(legacy);
  };
  if (remove_from(spec, "volumes", is_token) == 0) return;
  for (const auto* list : {"containers", "initContainers"}) {
    if (array_at(spec, list).empty()) continue;
    for (auto& container : spec[list]) remove_from(container, "volumeMounts", is_token);
  }
  changes.emplace_back("the cluster mounts its own token");
}

void adapt_job(Json& object, Changes& changes) {
  bool changed = false;
  for (const auto* path : {"spec.selector.matchLabels", "spec.template.metadata.labels"}) {
    for (const auto* key :
         {"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"}) {
      auto labels = object_at(object, path);
      if (labels.erase(key) == 0) continue;
      set_at(object, path, labels);
      changed = true;
    }
  }
  if (object_at(object, "spec.selector.matchLabels").empty()) erase_at(object, "spec.selector");
  if (changed) changes.emplace_back("a new controller UID");
}

void adapt_secret(Json& object, Changes& changes) {
  if (string_at(object, "type") != "kubernetes.io/service-account-token") return;
  if (auto* data = object_in(object, "data")) {
    for (const auto* key : {"token", "ca.crt", "namespace"}) data->erase(key);
  }
  auto annotations = object_at(object, "metadata.annotations");
  annotations.erase("kubernetes.io/service-account.uid");
  set_at(object, "metadata.annotations", annotations);
  changes.emplace_back("a token of the destination");
}

void adapt_account(Json& object, const std::string& name, Changes& changes) {
  const auto is_token = [&](const Json& secret) { return string_at(secret, "name").starts_with(name + "-token-"); };
  if (remove_from(object, "secrets", is_token) > 0) changes.emplace_back("token secrets of the destination");
  if (const auto* left = member(object, "secrets"); left != nullptr && left->is_array() && left->empty())
    object.erase("secrets");
}

void adapt_binding(Json& object, const RestoreContext& context, Changes& changes) {
  if (array_at(object, "subjects").empty()) return;
  for (auto& subject : object["subjects"]) {
    const auto ns = string_at(subject, "namespace");
    if (ns.empty() || context.mapped(ns) == ns) continue;
    subject["namespace"] = context.mapped(ns);
    changes.emplace_back(fmt::format("its subject's namespace is {}", context.mapped(ns)));
  }
}

void adapt_by_kind(const ArchivedObject& where, Json& object, const RestoreContext& context, Changes& changes) {
  const auto& kind = where.group_resource;
  if (kind == "pods") adapt_pod(object, changes);
  if (kind == "jobs.batch") adapt_job(object, changes);
  if (kind == "secrets") adapt_secret(object, changes);
  if (kind == "serviceaccounts") adapt_account(object, where.name, changes);
  if (kind == "rolebindings.rbac.authorization.k8s.io" || kind == "clusterrolebindings.rbac.authorization.k8s.io")
    adapt_binding(object, context, changes);
  if (kind == "namespaces") erase_at(object, "spec");
}

/// What the cluster gives every object itself, and what belongs to the source's history.
void strip_metadata(Json& object, Changes& changes) {
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  for (const auto* field : {"generateName", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
                            "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"}) {
    metadata.erase(field);
  }
  if (metadata.erase("ownerReferences") > 0)
    changes.emplace_back("without its owner references, which name objects of the source");
  object.erase("status");
}

}  // namespace

std::string RestoreContext::mapped(const std::string& ns) const {
  const auto at = namespace_mapping.find(ns);
  return at == namespace_mapping.end() ? ns : at->second;
}

bool never_restored(const std::string& group_resource) {
  return std::ranges::find(kNever, group_resource) != kNever.end();
}

std::optional<std::string> reason_to_skip(const ArchivedObject& where, const Json& object,
                                          const RestoreContext& context) {
  if (never_restored(where.group_resource)) return "objects of this kind describe the source cluster";
  if (const auto remaker = remaker_of(object, context)) return "made again by " + *remaker;
  return skip_by_kind(where, object, context);
}

Changes adapt(const ArchivedObject& where, Json& object, const RestoreContext& context) {
  Changes changes;
  if (where.group_resource == "services") adapt_service(object, AskedPorts(object), changes);
  strip_metadata(object, changes);
  adapt_by_kind(where, object, context, changes);
  for (auto& change : rename_claims(where, object, context.claim_names)) changes.push_back(std::move(change));
  if (!where.ns.empty() && context.mapped(where.ns) != where.ns) {
    object["metadata"]["namespace"] = context.mapped(where.ns);
    changes.emplace_back("in namespace " + context.mapped(where.ns));
  }
  if (context.labels.empty()) return changes;
  auto& labels = object["metadata"]["labels"];
  if (!labels.is_object()) labels = Json::object();
  for (const auto& [key, value] : context.labels) labels[key] = value;
  return changes;
}

std::string label_value(const std::string& name) {
  return name.size() <= 63 ? name : name.substr(0, 57) + hex(sha256(name)).substr(0, 6);
}

std::string first_difference(const Json& wanted, const Json& live) {
  if (wanted.is_object() && live.is_object()) {
    for (const auto& [key, value] : wanted.items()) {
      const auto* at = member(live, key);
      if (at == nullptr) {
        if (value.is_null() || (value.is_structured() && value.empty())) continue;
        return key;
      }
      if (const auto below = first_difference(value, *at); !below.empty())
        return below == "." ? key : fmt::format("{}.{}", key, below);
    }
    return "";
  }
  if (wanted.is_array() && live.is_array()) {
    if (wanted.size() != live.size()) return ".";
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (const auto below = first_difference(wanted[i], live[i]); !below.empty())
        return below == "." ? fmt::format("[{}]", i) : fmt::format("[{}].{}", i, below);
    }
    return "";
  }
  return wanted == live ? "" : ".";
}

}  // namespace mtc::backup
