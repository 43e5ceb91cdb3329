#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/exit_code.hpp"
#include "cli/host.hpp"

namespace mtc::cli {

struct ControllerOptions {
  HostOptions host;
  bool standalone = false;  ///< host our resources in an embedded cluster
  std::string state;        ///< its state file
};
struct SandboxOptions {
  std::string name = "sandbox";
  std::string state = ":memory:";
  std::string listen = "127.0.0.1:0";
  std::string kubeconfig;  ///< file to write the admin's kubeconfig to
};

struct BucketOptions {
  std::string name;
  std::string folder;  ///< where its objects are kept; empty = in memory
  std::string listen = "127.0.0.1:0";
  std::string region = "us-east-1";
  std::string access_key_id, secret_access_key;
};

/// `mtc mover receive` and `mtc mover send`; texts as they were given.
struct MoverOptions {
  std::string volume, tls;
  std::string device;           ///< instead of `volume`: a block device
  std::string listen;           ///< address and port; send: where a relay comes
  bool forwarded = false;       ///< `listen` is reached by a port-forward, too
  std::vector<std::string> to;  ///< send: addresses and ports, the best first
  std::string budget;           ///< send: a file
  std::string mode = "cutover";
  bool verify = false;
  bool by_hash = false;
  bool allow_losses = false;
  unsigned lanes = 4;
  std::string silence, patience, dial;  ///< durations
};

/// `mtc mover backup`, `mtc mover restore` and `mtc mover prune`; texts as they were given.
struct RepositoryOptions {
  std::string volume, repository;
  std::string device;             ///< instead of `volume`: a block device
  std::string host;               ///< backup, prune: whose snapshots
  std::vector<std::string> tags;  ///< backup
  std::string budget;             ///< backup, restore: a file
  std::string mode = "cutover";   ///< backup
  std::string snapshot;           ///< restore
  bool by_hash = false;
  bool verify = false;
  bool allow_losses = false;
  unsigned keep_last = 1;  ///< prune
};

/// How one registry of a copy is reached.
struct RegistryEnd {
  std::string ca;  ///< a file
  bool insecure = false;
};
/// `mtc image copy`; texts as they were given.
struct ImageCopyOptions {
  std::string source, destination;
  std::string list;         ///< instead of both: a file of such pairs
  std::string credentials;  ///< a file; "" = that of Docker, if there is one
  RegistryEnd from, to;
  unsigned parallel = 6;
  std::string output = "text";
};

/// What the program can do beside talking to a host cluster; main wires them. Each returns the exit code.
struct Programs {
  std::function<int(const ControllerOptions&, Console&)> controller;
  std::function<int(const SandboxOptions&, Console&)> sandbox;
  std::function<int(const BucketOptions&, Console&)> bucket;
  std::function<int(const MoverOptions&, Console&)> mover_receive;
  std::function<int(const MoverOptions&, Console&)> mover_send;
  std::function<int(const RepositoryOptions&, Console&)> mover_backup;
  std::function<int(const RepositoryOptions&, Console&)> mover_restore;
  std::function<int(const RepositoryOptions&, Console&)> mover_prune;
  std::function<int(const ImageCopyOptions&, Console&)> image_copy;
  std::function<int(Console&)> demo;
};

/// Parses the command line, runs what it asks for and returns the exit code. Called as `kubectl-mtc` the program is
/// kubectl's plugin, and says so in its help; called as `kubectl_complete-mtc` it completes words for kubectl. Errors
/// go to stderr as "mtc: object: cause" and "next: command".
int run_command_line(int argc, char** argv, const Programs& programs);

}  // namespace mtc::cli
