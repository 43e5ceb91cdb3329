#pragma once

#include <string>
#include <vector>

#include "json/fwd.hpp"
#include "kube/client.hpp"

namespace mtc::backup {

/// What a Backup's spec selects.
struct Selection {
  std::vector<kube::ResourceType> types;  ///< namespaced, in the order of collection
  std::vector<std::string> namespaces;
  std::string label_selector;
  std::vector<std::string> excluded;  ///< group-resources and names that were asked to be left out
};

/// Reads includedNamespaces, included- and excludedResources and labelSelector (velero.md §1.1, §3.3 old filter).
/// Resources are taken in the group's preferred version if they can be listed, read, created and deleted; kinds served
/// by two groups are taken once. Throws Error(kInvalid) for a spec without concrete namespaces or with an unreadable
/// selector.
Selection select(const Json& spec, const kube::Discovery& discovery);

}  // namespace mtc::backup
