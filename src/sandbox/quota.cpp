#include "sandbox/quota.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/strings.hpp"
#include "kube/quantity.hpp"
#include "kube/resource.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/storage_class.hpp"

namespace mtc::sandbox {
namespace {

constexpr std::string_view kCount = "count/";
constexpr std::string_view kOfClass = ".storageclass.storage.k8s.io/";
constexpr auto kClaims = "persistentvolumeclaims";
constexpr auto kStorage = "requests.storage";
/// What is counted under its own name too.
constexpr std::array<std::string_view, 7> kByName = {
    "pods", "services", "secrets", "configmaps", "replicationcontrollers", "resourcequotas", kClaims};

/// Amounts by the names that quotas have for them.
using Amounts = std::map<std::string, double>;

bool has_ended(const Json& object) {
  const auto phase = string_at(object, "status.phase");
  return phase == "Succeeded" || phase == "Failed";
}

/// What an object counts for. `kind` is its group-resource.
Amounts charges_of(const std::string& kind, const Json& object) {
  Amounts out = {{std::string(kCount) + kind, 1}};
  const bool counts = kind != "pods" || !has_ended(object);
  if (counts && std::ranges::find(kByName, kind) != kByName.end()) out[kind] = 1;
  if (kind != kClaims) return out;
  const auto size = kube::quantity(string_at(object, "spec.resources.requests.storage"));
  out[kStorage] = size;
  if (const auto name = class_of(object).value_or(""); !name.empty()) {
    out[name + std::string(kOfClass) + kStorage] = size;
    out[name + std::string(kOfClass) + kClaims] = 1;
  }
  return out;
}

/// The kind of objects that use something; "" if none that is known here does.
std::string kind_of(const std::string& resource) {
  if (resource.starts_with(kCount)) return resource.substr(kCount.size());
  if (resource == kStorage || resource.contains(kOfClass)) return kClaims;
  return std::ranges::find(kByName, resource) != kByName.end() ? resource : "";
}

Amounts used_by(const Storage& storage, const std::string& kind, const std::string& ns) {
  Amounts out;
  for (const auto& object : storage.list(kind, ns)) {
    for (const auto& [resource, amount] : charges_of(kind, *object)) out[resource] += amount;
  }
  return out;
}

/// `a=1,b=2Gi`, of some of the amounts.
std::string listed(const Amounts& amounts, const std::set<std::string>& which) {
  std::vector<std::string> out;
  for (const auto& resource : which) {
    const auto at = amounts.find(resource);
    out.push_back(resource + "=" + kube::to_quantity(at == amounts.end() ? 0 : at->second));
  }
  return join(out, ",");
}

Amounts limits_of(const Json& quota) {
  Amounts out;
  if (!array_at(quota, "spec.scopes").empty() || find(quota, "spec.scopeSelector") != nullptr) return out;
  for (const auto& [resource, amount] : object_at(quota, "spec.hard").items()) {
    if (amount.is_string()) out[resource] = kube::quantity(amount.get<std::string>());
  }
  return out;
}

}  // namespace

void check_quota(const Storage& storage, const Resource& resource, const Json* before, const Json& after) {
  const auto key = kube::key_of(after);
  const auto quotas = storage.list("resourcequotas", key.ns);
  if (key.ns.empty() || quotas.empty()) return;
  const auto kind = resource.type.group_resource();
  auto more = charges_of(kind, after);
  if (before != nullptr) {
    for (const auto& [what, amount] : charges_of(kind, *before)) more[what] -= amount;
  }
  const auto used = used_by(storage, kind, key.ns);
  for (const auto& quota : quotas) {
    const auto limits = limits_of(*quota);
    std::set<std::string> exceeded;
    for (const auto& [what, limit] : limits) {
      const auto wanted = more.find(what);
      if (wanted == more.end() || wanted->second <= 0) continue;
      const auto so_far = used.find(what);
      if ((so_far == used.end() ? 0 : so_far->second) + wanted->second > limit) exceeded.insert(what);
    }
    if (exceeded.empty()) continue;
    throw Failure(403, "Forbidden",
                  fmt::format("{} \"{}\" is forbidden: exceeded quota: {}, requested: {}, used: {}, limited: {}", kind,
                              key.name, kube::key_of(*quota).name, listed(more, exceeded), listed(used, exceeded),
                              listed(limits, exceeded)),
                  {{"name", key.name}, {"group", resource.type.group}, {"kind", resource.type.plural}});
  }
}

Json quota_status(const Storage& storage, const Json& quota) {
  const auto ns = string_at(quota, "metadata.namespace");
  std::map<std::string, Amounts> by_kind;
  Json used = Json::object();
  for (const auto& [resource, limit] : limits_of(quota)) {
    const auto kind = kind_of(resource);
    if (kind.empty()) continue;
    if (!by_kind.contains(kind)) by_kind[kind] = used_by(storage, kind, ns);
    used[resource] = kube::to_quantity(by_kind[kind][resource]);
  }
  return {{"hard", object_at(quota, "spec.hard")}, {"used", std::move(used)}};
}

}  // namespace mtc::sandbox
