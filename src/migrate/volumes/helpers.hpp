#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "migrate/volumes/copying.hpp"

namespace mtc::migrate::volumes {

/// Kinds that helpers are of (spec direct-volume.md §15.1); none of them is ever a claim.
const std::vector<kube::ResourceType>& helper_types();

/// A helper on one of the clusters.
struct Helper {
  kube::ClientPtr cluster;
  kube::ResourceType type;
  kube::ObjectKey key;
  Json labels;
};
/// Where helpers may be.
struct Places {
  kube::ClientPtr source, destination;
  std::set<std::string> source_namespaces, destination_namespaces;
};
/// Those that match `selector`, in the namespaces of both sides.
Task<std::vector<Helper>> helpers_at(Places places, std::string selector);
Task<std::vector<Helper>> helpers(Copying& c, std::string selector);
/// Deletes them. A Pod gets a few seconds to end its work.
Task<void> remove(std::vector<Helper> which);
/// "Pod shop/rsync-1, Secret shop/x", at most five of them.
std::string names_of(const std::vector<Helper>& which);
/// Changes of the kinds of these helpers, in their namespaces.
std::vector<Subject> subjects_of(const std::vector<Helper>& which, const std::string& selector);

/// The pods of this DirectVolumeMigration in the namespaces of one side, by name.
enum class Side { kSource, kDestination };
Task<std::map<kube::ObjectKey, Json>> pods_of(Copying& c, Side side);
/// Changes of those pods.
std::vector<Subject> pod_subjects(const Copying& c, Side side);

/// Creates an object, or finds the one that an earlier run of this step made. Throws Error(kConflict) for one of that
/// name that somebody else made: one whose label `owner` is not that of `object`.
Task<Json> ensure_labelled(kube::ClientPtr cluster, kube::ResourceType type, Json object, std::string owner);
/// The same for what belongs to a DirectVolumeMigration.
Task<Json> ensure_ours(kube::ClientPtr cluster, kube::ResourceType type, Json object);

}  // namespace mtc::migrate::volumes
