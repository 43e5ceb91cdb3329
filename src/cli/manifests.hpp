#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/kinds.hpp"
#include "json/fwd.hpp"

namespace mtc::cli {

/// The namespace in which the public documents keep credentials.
inline constexpr auto kConfigNamespace = "openshift-config";
/// The label of everything outside our own kinds that the command line makes; a purge removes nothing without it.
inline constexpr auto kManagedBy = "app.kubernetes.io/managed-by";
inline constexpr auto kOurselves = "mtc";

/// Whether the command line made this object.
bool is_made_by_us(const Json& object);

/// A reference to an object of ours.
Json reference_to(const std::string& name);
/// An object of one of our kinds.
Json manifest(const Kind& kind, const std::string& name, Json spec);
/// A Secret in the configuration namespace.
Json secret_manifest(const std::string& name, const std::vector<std::pair<std::string, std::string>>& values);

/// How the Secret of a cluster or bucket is called.
std::string secret_of_cluster(const std::string& name);
std::string secret_of_storage(const std::string& name);

struct RemoteCluster {
  std::string name;
  std::string url;
  std::string ca_pem;  ///< empty = a public authority
  bool insecure = false;
};
/// spec of a MigCluster.
Json host_cluster_spec();
Json cluster_spec(const RemoteCluster& cluster);

struct Bucket {
  std::string name;
  std::string bucket;
  std::string url;     ///< empty = AWS
  std::string region;  ///< empty = us-east-1
  std::string ca_pem;  ///< empty = a public authority
};
/// spec of a MigStorage.
Json storage_spec(const Bucket& bucket);

struct Plan {
  std::string name, source, destination;
  std::string storage;  ///< empty = none, as a plan that converts storage classes needs
  std::vector<std::string> namespaces;
  bool direct_images = false;     ///< registry to registry instead of through the bucket
  bool indirect_volumes = false;  ///< through the bucket instead of from cluster to cluster
};
/// spec of a MigPlan.
Json plan_spec(const Plan& plan);

struct Run {
  std::string plan;
  bool quiesce = false, stage = false, rollback = false;
  bool state = false;  ///< volumes only
};
/// spec of a MigMigration.
Json migration_spec(const Run& run);

}  // namespace mtc::cli
