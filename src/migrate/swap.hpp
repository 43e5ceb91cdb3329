#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "backup/claim_names.hpp"
#include "migrate/migration.hpp"
#include "migrate/quiesce.hpp"

namespace mtc::migrate {

/// The claims that workloads shall use instead of others, in the same namespaces (spec migration.md §20.1).
struct Swap {
  /// What a StatefulSet's template says of its claims.
  struct Shape {
    std::string storage_class;
    std::vector<std::string> access_modes;
  };
  bool back = false;         ///< from the new claims to the former ones
  backup::ClaimNames names;  ///< "ns/claim" → the name of the one to use instead
  std::set<kube::ObjectKey> from, to;
  std::map<kube::ObjectKey, Shape> shapes;  ///< of the claims in `to`; empty on the way back
  std::string plan_uid;
};
Swap swap_of(const Migration& m, bool back);

/// Whether a change can be written into a workload, or only a new one can have it.
enum class Change { kNone, kInPlace, kByReplacement };
/// Lets a workload use the claims of `swap.to`: names in its pods' volumes and mounts, and, in a StatefulSet, templates
/// of claims with storage class and access modes; on the way back these are again what they were. Throws
/// Error(kInvalid) for a StatefulSet whose claims no template could make.
Change swap_claims(Json& workload, const kube::ResourceType& type, const Swap& swap);
/// A workload as it is created anew: without what the server or an earlier life gave it.
Json made_anew(Json workload);
/// What a workload's pods mount: claims by name, and templates of claims.
std::set<std::string> claims_named_in(const Json& workload, const kube::ResourceType& type);

/// Carries a swap out on a cluster, as far as it gets: a workload that uses the new claims already is only started,
/// what waits is waited for, and what fails does not keep the others from being swapped. StatefulSets and Jobs are
/// deleted and created again; what is to be created stands in a ConfigMap in their namespace before anything is
/// deleted, and a run that finds one there goes on with it.
Task<Outcome> carry_out(Migration& m, Swap swap);

}  // namespace mtc::migrate
