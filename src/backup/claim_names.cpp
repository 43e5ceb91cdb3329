#include "backup/claim_names.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/error.hpp"
#include "json/json.hpp"

namespace mtc::backup {
namespace {

using Changes = std::vector<std::string>;

/// Where an object says what its pods are like; "" if it makes none.
std::string pod_spec_path(const std::string& kind) {
  if (kind == "pods") return "spec";
  if (kind == "cronjobs.batch") return "spec.jobTemplate.spec.template.spec";
  for (const auto* maker : {"deployments.apps", "statefulsets.apps", "daemonsets.apps", "replicasets.apps",
                            "jobs.batch", "replicationcontrollers", "deploymentconfigs.apps.openshift.io"}) {
    if (kind == maker) return "spec.template.spec";
  }
  return "";
}

bool rename_in_volumes(Json& pod_spec, const std::string& ns, const ClaimNames& names, Changes& changes) {
  bool changed = false;
  for (auto& volume : pod_spec["volumes"]) {
    const auto claim = string_at(volume, "persistentVolumeClaim.claimName");
    const auto at = names.find(fmt::format("{}/{}", ns, claim));
    if (claim.empty() || at == names.end() || at->second == claim) continue;
    volume["persistentVolumeClaim"]["claimName"] = at->second;
    changes.push_back(fmt::format("mounts claim {} instead of {}", at->second, claim));
    changed = true;
  }
  return changed;
}

/// "0" of "data-db-0", if `claim` is one that this template makes.
std::optional<std::string_view> ordinal_of(std::string_view claim, std::string_view stem) {
  if (!claim.starts_with(stem)) return std::nullopt;
  const auto ordinal = claim.substr(stem.size());
  const bool digits =
      !ordinal.empty() && std::ranges::all_of(ordinal, [](unsigned char c) { return std::isdigit(c) != 0; });
  return digits ? std::optional(ordinal) : std::nullopt;
}

/// What the template must be called for its claims to have their new names; itself if none was renamed.
std::string new_template(const std::string& name, const std::string& set, const std::string& ns,
                         const ClaimNames& names) {
  const auto stem = fmt::format("{}/{}-{}-", ns, name, set);
  std::optional<std::string> found;
  for (const auto& [claim, target] : names) {
    const auto ordinal = ordinal_of(claim, stem);
    if (!ordinal) continue;
    const auto end = fmt::format("-{}-{}", set, *ordinal);
    const bool fits = target.size() > end.size() && target.ends_with(end);
    const auto renamed = fits ? target.substr(0, target.size() - end.size()) : "";
    if (!fits || (found && *found != renamed)) {
      throw Error(Code::kInvalid,
                  fmt::format("StatefulSet {}/{} cannot use claim {} under the name {}: its claims must "
                              "all be named <new name>-{}-<number>",
                              ns, set, claim, target, set));
    }
    found = renamed;
  }
  return found.value_or(name);
}

void rename_mounts(Json& pod_spec, const std::string& from, const std::string& to) {
  for (const auto* list : {"containers", "initContainers"}) {
    if (array_at(pod_spec, list).empty()) continue;
    for (auto& container : pod_spec[list]) {
      for (const auto* mounts : {"volumeMounts", "volumeDevices"}) {
        if (array_at(container, mounts).empty()) continue;
        for (auto& mount : container[mounts]) {
          if (string_at(mount, "name") == from) mount["name"] = to;
        }
      }
    }
  }
}

void rename_templates(const ArchivedObject& where, Json& object, const ClaimNames& names, Changes& changes) {
  if (array_at(object, "spec.volumeClaimTemplates").empty()) return;
  auto pod_spec = object_at(object, "spec.template.spec");
  for (auto& claim : object["spec"]["volumeClaimTemplates"]) {
    const auto name = string_at(claim, "metadata.name");
    const auto renamed = new_template(name, where.name, where.ns, names);
    if (renamed == name) continue;
    claim["metadata"]["name"] = renamed;
    rename_mounts(pod_spec, name, renamed);
    changes.push_back(fmt::format("its claims are named {} instead of {}", renamed, name));
  }
  set_at(object, "spec.template.spec", std::move(pod_spec));
}

}  // namespace

std::vector<std::string> rename_claims(const ArchivedObject& where, Json& object, const ClaimNames& names) {
  Changes changes;
  const auto path = pod_spec_path(where.group_resource);
  if (names.empty() || path.empty()) return changes;
  auto pod_spec = object_at(object, path);
  if (!array_at(pod_spec, "volumes").empty() && rename_in_volumes(pod_spec, where.ns, names, changes))
    set_at(object, path, std::move(pod_spec));
  if (where.group_resource == "statefulsets.apps") rename_templates(where, object, names, changes);
  return changes;
}

}  // namespace mtc::backup
