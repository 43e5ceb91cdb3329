#include "kube/discovery.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"

namespace mtc::kube {
namespace {

constexpr auto kAggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

struct Found {
  std::vector<Discovery::Entry> entries;
  std::vector<std::string> failed;
};

void read_aggregated(const Json& document, Found& out) {
  for (const auto& group : array_at(document, "items")) {
    const auto name = string_at(group, "metadata.name");
    bool preferred = true;  // versions come in order of preference
    for (const auto& version : array_at(group, "versions")) {
      const auto number = string_at(version, "version");
      if (string_at(version, "freshness") == "Stale")
        out.failed.push_back(fmt::format("{}/{}: its API server does not answer", name, number));
      for (const auto& resource : array_at(version, "resources")) {
        Discovery::Entry entry;
        entry.type = {name, number, string_at(resource, "resource"), string_at(resource, "responseKind.kind"),
                      string_at(resource, "scope") == "Namespaced"};
        entry.verbs = strings_at(resource, "verbs");
        entry.short_names = strings_at(resource, "shortNames");
        entry.singular = string_at(resource, "singularResource");
        entry.preferred = preferred;
        out.entries.push_back(std::move(entry));
      }
      preferred = false;
    }
  }
}

void read_legacy(const Json& list, const std::string& group, const std::string& version, bool preferred, Found& out) {
  for (const auto& resource : array_at(list, "resources")) {
    const auto plural = string_at(resource, "name");
    if (plural.contains('/')) continue;  // a subresource
    Discovery::Entry entry;
    entry.type = {group, version, plural, string_at(resource, "kind"), bool_at(resource, "namespaced")};
    entry.verbs = strings_at(resource, "verbs");
    entry.short_names = strings_at(resource, "shortNames");
    entry.singular = string_at(resource, "singularName");
    entry.preferred = preferred;
    out.entries.push_back(std::move(entry));
  }
}

struct GroupVersion {
  std::string group, version;
  bool preferred = false;
};

Task<void> fetch_legacy(FetchDocument get, GroupVersion what, Found* out) {
  const auto path = what.group.empty() ? "/api/" + what.version : fmt::format("/apis/{}/{}", what.group, what.version);
  std::string failure;
  try {
    if (const auto list = co_await get(path, "application/json"))
      read_legacy(*list, what.group, what.version, what.preferred, *out);
  } catch (const Error& error) {
    // One aggregated API server that is down must not hide the rest of the cluster.
    failure = error.what();
  }
  if (!failure.empty()) out->failed.push_back(fmt::format("{}/{}: {}", what.group, what.version, failure));
}

Task<void> discover_legacy(FetchDocument get, const Json* core, const Json* groups, Found* out) {
  std::vector<GroupVersion> versions;
  bool preferred = true;
  for (const auto& version : strings_at(*core, "versions")) {
    versions.push_back({"", version, preferred});
    preferred = false;
  }
  for (const auto& group : array_at(*groups, "groups")) {
    const auto favourite = string_at(group, "preferredVersion.version");
    for (const auto& version : array_at(group, "versions")) {
      const auto number = string_at(version, "version");
      versions.push_back({string_at(group, "name"), number, number == favourite});
    }
  }
  co_await async::parallel_for(versions.size(), 8,
                               [get, &versions, out](std::size_t i) { return fetch_legacy(get, versions[i], out); });
}

}  // namespace

bool Discovery::Entry::can(std::string_view verb) const { return std::ranges::find(verbs, verb) != verbs.end(); }

Discovery::Discovery(std::vector<Entry> entries, std::vector<std::string> failed_groups)
    : failed_groups_(std::move(failed_groups)) {
  for (const bool preferred : {true, false}) {
    for (auto& entry : entries) {
      if (entry.preferred == preferred) entries_.push_back(std::move(entry));
    }
  }
}

const Discovery::Entry* Discovery::find_kind(std::string_view group, std::string_view kind) const {
  const auto at =
      std::ranges::find_if(entries_, [&](const Entry& e) { return e.type.group == group && e.type.kind == kind; });
  return at == entries_.end() ? nullptr : &*at;
}

const Discovery::Entry* Discovery::find_resource(std::string_view group, std::string_view plural) const {
  const auto at =
      std::ranges::find_if(entries_, [&](const Entry& e) { return e.type.group == group && e.type.plural == plural; });
  return at == entries_.end() ? nullptr : &*at;
}

const Discovery::Entry* Discovery::find_exact(std::string_view group, std::string_view version,
                                              std::string_view plural) const {
  const auto at = std::ranges::find_if(entries_, [&](const Entry& e) {
    return e.type.group == group && e.type.version == version && e.type.plural == plural;
  });
  return at == entries_.end() ? nullptr : &*at;
}

const Discovery::Entry* Discovery::find_name(std::string_view name) const {
  const auto dot = name.find('.');
  const auto word = to_lower(name.substr(0, dot));
  const auto group = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
  for (const auto& entry : entries_) {
    if (dot != std::string_view::npos && entry.type.group != group) continue;
    const bool named = entry.type.plural == word || entry.singular == word || to_lower(entry.type.kind) == word ||
                       std::ranges::find(entry.short_names, word) != entry.short_names.end();
    if (named) return &entry;
  }
  return nullptr;
}

Task<std::shared_ptr<const Discovery>> discover(FetchDocument get) {
  const auto core = co_await get("/api", kAggregated);
  const auto groups = co_await get("/apis", kAggregated);
  if (!core || !groups)
    throw Error(Code::kUnsupported, "the server has no /api and /apis: it is no Kubernetes API server");
  Found found;
  if (string_at(*core, "kind") == "APIGroupDiscoveryList") {
    read_aggregated(*core, found);
    read_aggregated(*groups, found);
  } else if (string_at(*core, "kind") == "APIVersions") {
    co_await discover_legacy(get, &*core, &*groups, &found);
  } else {
    throw Error(Code::kUnsupported, "the server's /api is no Kubernetes discovery document");
  }
  co_return std::make_shared<const Discovery>(std::move(found.entries), std::move(found.failed));
}

}  // namespace mtc::kube
