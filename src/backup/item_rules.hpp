#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backup/archive.hpp"
#include "backup/claim_names.hpp"
#include "json/fwd.hpp"

namespace mtc::backup {

/// What the rules need to know of the whole restore.
struct RestoreContext {
  std::string restore_name;
  std::string backup_name;
  std::map<std::string, std::string> namespace_mapping;  ///< source → destination
  std::map<std::string, std::string> labels;             ///< put on every object
  std::map<std::string, std::string> owners;             ///< uid of each archived object → "Deployment web"
  std::map<std::string, bool> services;                  ///< "ns/name" of each archived Service → it has a selector
  ClaimNames claim_names;                                ///< of claims that are on the destination already
  std::set<std::string> accounts;                        ///< "ns/name" of each archived ServiceAccount

  std::string mapped(const std::string& ns) const;
};

/// Kinds that are never restored (velero.md §4.3), by group-resource.
bool never_restored(const std::string& group_resource);
/// Why this object is left out on purpose; nullopt if it is to be restored.
std::optional<std::string> reason_to_skip(const ArchivedObject& where, const Json& object,
                                          const RestoreContext& context);
/// Makes the stored object fit for the destination: cluster-assigned fields go, namespaces are mapped, labels are put
/// on. Returns what was changed beyond what every cluster assigns itself; empty if the copy will be identical.
std::vector<std::string> adapt(const ArchivedObject& where, Json& object, const RestoreContext& context);

/// A label value: longer names become 57 characters and 6 hex digits of their SHA-256 (velero.md §1).
std::string label_value(const std::string& name);
/// The first path at which `live` lacks or contradicts what `wanted` says; "" if it holds all of it. Fields that the
/// server adds do not count.
std::string first_difference(const Json& wanted, const Json& live);

}  // namespace mtc::backup
