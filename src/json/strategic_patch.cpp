#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "json/patch.hpp"

namespace mtc {
namespace {

struct Rule {
  std::string_view parent;  ///< the field above, "" = any
  std::string_view field;
  std::string_view merge_key;
};

// The patchMergeKey markers of k8s.io/api (core/v1, apps/v1, batch/v1, …): lists that are not here are replaced whole.
constexpr std::array kMergedLists = {
    Rule{"", "containers", "name"},
    Rule{"", "initContainers", "name"},
    Rule{"", "ephemeralContainers", "name"},
    Rule{"", "volumes", "name"},
    Rule{"", "volumeMounts", "mountPath"},
    Rule{"", "volumeDevices", "devicePath"},
    Rule{"", "env", "name"},
    Rule{"", "imagePullSecrets", "name"},
    Rule{"", "hostAliases", "ip"},
    Rule{"", "topologySpreadConstraints", "topologyKey"},
    Rule{"", "resourceClaims", "name"},
    Rule{"", "ownerReferences", "uid"},
    Rule{"status", "conditions", "type"},
    Rule{"spec", "ports", "port"},
    Rule{"containers", "ports", "containerPort"},
    Rule{"initContainers", "ports", "containerPort"},
    Rule{"", "secrets", "name"},
    Rule{"", "webhooks", "name"},
    Rule{"status", "addresses", "type"},
    Rule{"status", "podIPs", "ip"},
};
constexpr std::array<std::string_view, 1> kMergedSets = {"finalizers"};

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kSetOrder = "$setElementOrder/";
constexpr std::string_view kDeleteFrom = "$deleteFromPrimitiveList/";

Json merge_maps(Json target, const Json& patch, std::string_view kind, const std::string& path);

[[noreturn]] void refuse(const std::string& path, std::string_view why) {
  throw Error(Code::kInvalid, fmt::format("{}: {}", path, why));
}

void check_list(const Json& value, const std::string& path, std::string_view directive) {
  if (!value.is_array()) refuse(path, fmt::format("{} is no list", directive));
}

std::string directive_of(const Json& patch) { return patch.is_object() ? string_at(patch, kDirective) : ""; }

Json without_directives(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const auto& element : value) {
      if (directive_of(element).empty()) out.push_back(without_directives(element));
    }
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [key, child] : value.items()) {
    if (!key.starts_with('$') && !child.is_null()) out[key] = without_directives(child);
  }
  return out;
}

Json::iterator find_by_key(Json& list, const std::string& key, const Json& wanted) {
  return std::find_if(list.begin(), list.end(), [&](const Json& element) {
    const auto* value = member(element, key);
    return value != nullptr && *value == wanted;
  });
}

Json merge_map_list(Json target, const Json& patch, const std::string& key, std::string_view kind,
                    const std::string& path) {
  if (!target.is_array()) target = Json::array();
  for (const auto& element : patch) {
    const auto directive = directive_of(element);
    if (directive == "replace") return without_directives(patch);
    const auto* id = member(element, key);
    if (id == nullptr) refuse(path, fmt::format("an element of the patch has no \"{}\"", key));
    const auto at = find_by_key(target, key, *id);
    if (directive == "delete") {
      if (at != target.end()) target.erase(at);
    } else if (!directive.empty() && directive != "merge") {
      refuse(path, fmt::format("unknown directive $patch: {}", directive));
    } else if (at == target.end()) {
      target.push_back(without_directives(element));
    } else {
      *at = merge_maps(*at, element, kind, path);
    }
  }
  return target;
}

Json merge_sets(Json target, const Json& patch) {
  if (!target.is_array()) target = Json::array();
  for (const auto& element : patch) {
    if (std::find(target.begin(), target.end(), element) == target.end()) target.push_back(element);
  }
  return target;
}

/// Puts list elements in the order the patch asks for; those it does not name keep their place behind their
/// predecessor.
void reorder(Json& list, const Json& order, const std::string& key) {
  const auto rank = [&](const Json& element) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto* wanted = key.empty() ? &order[i] : member(order[i], key);
      const auto* have = key.empty() ? &element : member(element, key);
      if (wanted != nullptr && have != nullptr && *wanted == *have) return i;
    }
    return order.size();
  };
  std::vector<std::pair<std::size_t, std::size_t>> places;
  places.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) places.emplace_back(rank(list[i]), i);
  std::ranges::sort(places);
  Json sorted = Json::array();
  for (const auto& [ranked, at] : places) sorted.push_back(std::move(list[at]));
  list = std::move(sorted);
}

Json merge_value(const Json* target, const Json& patch, std::string_view kind, const std::string& path) {
  if (patch.is_object()) return merge_maps(target != nullptr ? *target : Json::object(), patch, kind, path);
  if (!patch.is_array()) return patch;
  const auto strategy = list_strategy(kind, path);
  const Json before = target != nullptr ? *target : Json::array();
  if (strategy.kind == ListStrategy::Kind::kMap) return merge_map_list(before, patch, strategy.merge_key, kind, path);
  if (strategy.kind == ListStrategy::Kind::kSet) return merge_sets(before, patch);
  return without_directives(patch);
}

void apply_list_directives(Json& target, const Json& patch, std::string_view kind, const std::string& path) {
  for (const auto& [key, value] : patch.items()) {
    if (key.starts_with(kDeleteFrom)) {
      const auto field = key.substr(kDeleteFrom.size());
      if (!target.contains(field) || !target[field].is_array()) continue;
      check_list(value, path, key);
      auto& list = target[field];
      for (const auto& gone : value) list.erase(std::remove(list.begin(), list.end(), gone), list.end());
    }
  }
  for (const auto& [key, value] : patch.items()) {
    if (!key.starts_with(kSetOrder)) continue;
    const auto field = key.substr(kSetOrder.size());
    if (target.contains(field) && target[field].is_array()) {
      check_list(value, path, key);
      reorder(target[field], value, list_strategy(kind, fmt::format("{}.{}", path, field)).merge_key);
    }
  }
}

Json merge_maps(Json target, const Json& patch, std::string_view kind, const std::string& path) {
  const auto directive = directive_of(patch);
  if (directive == "replace") return without_directives(patch);
  if (directive == "delete") return Json::object();
  if (!directive.empty() && directive != "merge") {
    refuse(path, fmt::format("unknown directive $patch: {}", directive));
  }
  if (!target.is_object()) target = Json::object();
  if (const auto* retain = member(patch, kRetainKeys)) {
    check_list(*retain, path, kRetainKeys);
    const auto& keep = *retain;
    for (auto at = target.begin(); at != target.end();) {
      at = std::find(keep.begin(), keep.end(), Json(at.key())) == keep.end() ? target.erase(at) : std::next(at);
    }
  }
  for (const auto& [key, value] : patch.items()) {
    if (key.starts_with('$')) continue;
    const auto child = path.empty() ? key : fmt::format("{}.{}", path, key);
    if (value.is_null() || directive_of(value) == "delete") {
      target.erase(key);
    } else {
      target[key] = merge_value(member(target, key), value, kind, child);
    }
  }
  apply_list_directives(target, patch, kind, path);
  return target;
}

}  // namespace

ListStrategy list_strategy(std::string_view kind, std::string_view path) {
  const auto segments = split(path, '.');
  const auto field = segments.empty() ? std::string() : segments.back();
  const auto parent = segments.size() < 2 ? std::string() : segments[segments.size() - 2];
  if (std::ranges::find(kMergedSets, field) != kMergedSets.end()) return {ListStrategy::Kind::kSet, ""};
  // The ports of a NetworkPolicy or an Endpoints are no service ports.
  if (field == "ports" && parent == "spec" && kind != "Service") return {};
  if (field == "secrets" && kind != "ServiceAccount") return {};
  for (const auto& rule : kMergedLists) {
    if (rule.field == field && (rule.parent.empty() || rule.parent == parent)) {
      return {ListStrategy::Kind::kMap, std::string(rule.merge_key)};
    }
  }
  return {};
}

Json apply_strategic_patch(const Json& target, const Json& patch, std::string_view kind) {
  if (!patch.is_object()) throw Error(Code::kInvalid, "a strategic merge patch is an object");
  return merge_maps(target, patch, kind, "");
}

}  // namespace mtc
