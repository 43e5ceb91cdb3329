#pragma once

#include <string>
#include <vector>

#include "migrate/migration.hpp"

namespace mtc::migrate {

/// An object on the destination that this plan's migrations made.
struct MigratedObject {
  kube::ResourceType type;
  kube::ObjectKey key;
};
/// All of them in the destination namespaces, by the label that the restore put on each (spec migration.md §20.3). The
/// `default` ServiceAccount is the namespace's own and is none of them.
Task<std::vector<MigratedObject>> migrated_objects(Migration& m);
/// The selector that finds them.
std::string migrated_selector(const Migration& m);

}  // namespace mtc::migrate
