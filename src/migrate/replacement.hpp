#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kube/client.hpp"

namespace mtc::migrate {

/// A workload that is deleted and created again, because what it says of its claims cannot be changed. Kept in a
/// ConfigMap beside it from before the deletion until after the creation: a controller that is killed in between finds
/// it there, and so does a person.
struct Replacement {
  kube::ResourceType type;  ///< StatefulSet or Job
  Json object;              ///< to be created
  std::string replaces;     ///< UID of the one that goes

  kube::ObjectKey key() const { return kube::key_of(object); }
  /// Of the ConfigMap: made from kind and name.
  kube::ObjectKey record() const;
  /// "StatefulSet shop/db".
  std::string str() const;
};

/// Stores it, unless one of that workload is stored: then that one counts, and is returned.
Task<Replacement> store(kube::ClientPtr cluster, Replacement replacement, std::string plan_uid);
/// Those that a plan's migrations have stored in a namespace.
Task<std::vector<Replacement>> stored_replacements(kube::ClientPtr cluster, std::string ns, std::string plan_uid);
/// Goes on with one: deletes, creates, and forgets the record. False while the old one is not gone. Throws Error with
/// what a person can do, if somebody else has created it meanwhile or the cluster refuses the new one.
Task<bool> replace(kube::ClientPtr cluster, Replacement replacement);

}  // namespace mtc::migrate
