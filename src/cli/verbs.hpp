#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "cli/manifests.hpp"
#include "cli/session.hpp"
#include "kube/config.hpp"

/// What the commands do. Each prints what it did; failures are UserErrors and Errors. Those that return a number return
/// the exit code.
namespace mtc::cli {

enum class Output { kTable, kJson, kYaml };

/// Prints one object, or all of a kind.
Task<void> get(Session session, Kind kind, std::string name, Output output);
/// Prints spec, conditions, and the pipeline of one object.
Task<void> describe(Session session, Kind kind, std::string name);
/// Waits until the object is Ready: kOk, or kNotReady after `limit` with what is wrong.
Task<int> wait_ready(Session session, Kind kind, std::string name, Duration limit);

struct Removal {
  std::string name;
  bool force = false;  ///< although something needs it
  bool purge = false;  ///< also its Secret, and the account on the cluster
  bool yes = false;    ///< purge without asking
};
/// Deletes an object, unless plans need it or a migration of it has not ended (UserError(kConflict) with the names).
Task<void> remove(Session session, Kind kind, Removal what);

struct AddCluster {
  std::string name;
  std::string context;     ///< of the kubeconfig that reaches the cluster
  std::string kubeconfig;  ///< empty = the default one
  std::string url;         ///< instead of a kubeconfig, with a token of an account that may do everything
  std::string token_file;
  std::string ca_file;  ///< empty = the kubeconfig's, or a public authority
  bool insecure = false;
  bool is_host = false;
};
/// Registers a cluster: an account of ours there, with its token and rights, and the MigCluster and Secret on the host.
Task<void> add_cluster(Session session, AddCluster what);
/// The same for a cluster that `connection` reaches as its administrator.
Task<void> add_remote_cluster(Session session, std::string name, kube::Connection connection);

struct AddStorage {
  Bucket bucket;
  std::string access_key_id, secret_access_key, ca_file;
};
Task<void> add_storage(Session session, AddStorage what);

/// Throws UserError(kNotFound) if the plan names what is not there.
Task<void> create_plan(Session session, Plan what);

struct StartMigration {
  Run run;
  std::string name;  ///< empty = made from the plan's
};
/// Creates the MigMigration and returns its name.
Task<std::string> migrate(Session session, StartMigration what);
Task<void> cancel(Session session, std::string name);

}  // namespace mtc::cli
