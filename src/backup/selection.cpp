#include "backup/selection.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "json/selector.hpp"

namespace mtc::backup {
namespace {

/// Kinds that two groups serve; whichever comes first is stored (velero.md §3.2).
constexpr std::array kCohabiting = {"deployments", "daemonsets", "replicasets", "networkpolicies", "events"};

/// Whether a name of the spec means this resource: plural, singular, short name or kind, with or without group.
bool names(const std::string& name, const kube::Discovery::Entry& entry, const kube::Discovery& discovery) {
  if (name == "*" || name == entry.type.group_resource()) return true;
  const auto* found = discovery.find_name(name);
  return found != nullptr && found->type.group == entry.type.group && found->type.plural == entry.type.plural;
}

bool can_move(const kube::Discovery::Entry& entry) {
  return entry.can("list") && entry.can("get") && entry.can("create") && entry.can("delete");
}

}  // namespace

Selection select(const Json& spec, const kube::Discovery& discovery) {
  Selection out;
  out.namespaces = strings_at(spec, "includedNamespaces");
  if (out.namespaces.empty() || std::ranges::find(out.namespaces, "*") != out.namespaces.end()) {
    throw Error(Code::kInvalid, "a backup needs a list of namespaces");
  }
  if (const auto* selector = find(spec, "labelSelector")) out.label_selector = Selector::from_json(*selector).str();
  const auto included = strings_at(spec, "includedResources");
  out.excluded = strings_at(spec, "excludedResources");
  std::set<std::string> cohabitants;
  for (const auto& entry : discovery.entries()) {
    if (!entry.preferred || !entry.type.namespaced || !can_move(entry)) continue;
    const auto named = [&](const std::string& name) { return names(name, entry, discovery); };
    if (!included.empty() && std::ranges::none_of(included, named)) continue;
    if (std::ranges::any_of(out.excluded, named)) continue;
    if (std::ranges::find(kCohabiting, entry.type.plural) != kCohabiting.end() &&
        !cohabitants.insert(entry.type.plural).second)
      continue;
    out.types.push_back(entry.type);
  }
  return out;
}

}  // namespace mtc::backup
