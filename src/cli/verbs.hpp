#pragma once

#include <string>
#include <vector>

#include "cli/kinds.hpp"
#include "kube/client.hpp"

namespace mtc::cli {

enum class Output { kTable, kJson, kYaml };

/// Prints one object, or all of a kind.
Task<void> get(kube::ClientPtr host, Kind kind, std::string name, Output output);
/// Prints spec, conditions with what to do, and the pipeline of one object.
Task<void> describe(kube::ClientPtr host, Kind kind, std::string name);
/// Throws Error(kNotFound) if it is not there.
Task<void> remove(kube::ClientPtr host, Kind kind, std::string name);

struct AddCluster {
  std::string name;
  std::string context;     ///< of the kubeconfig that reaches the cluster; empty with `is_host`
  std::string kubeconfig;  ///< empty = the default one
  bool is_host = false;
};
/// Registers a cluster: makes the account migration-controller there, with its token and rights, and the MigCluster and
/// Secret on the host.
Task<void> add_cluster(kube::ClientPtr host, AddCluster what);

struct AddStorage {
  std::string name, bucket, url, region, access_key_id, secret_access_key, ca_file;
};
Task<void> add_storage(kube::ClientPtr host, AddStorage what);

struct CreatePlan {
  std::string name, source, destination, storage;
  std::vector<std::string> namespaces;
};
Task<void> create_plan(kube::ClientPtr host, CreatePlan what);

struct StartMigration {
  std::string plan;
  std::string name;  ///< empty = made from the plan's
  bool quiesce = false, stage = false, rollback = false, watch = false;
};
/// Creates the MigMigration, and follows it to its end if asked to; returns the exit code.
Task<int> migrate(kube::ClientPtr host, StartMigration what);
Task<void> cancel(kube::ClientPtr host, std::string name);

}  // namespace mtc::cli
