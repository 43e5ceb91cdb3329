#pragma once

#include <functional>
#include <string>

namespace mtc::cli {

/// Where the host cluster is.
struct HostOptions {
  std::string kubeconfig;  ///< file; empty = in the cluster, else KUBECONFIG or ~/.kube/config
  std::string context;     ///< empty = the current one
};
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

/// What the program can do beside talking to a host cluster; main wires them.
struct Programs {
  std::function<int(const ControllerOptions&)> controller;
  std::function<int(const SandboxOptions&)> sandbox;
  std::function<int()> demo;
};

/// Exit codes (docs/reference/exit-codes.md).
enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2, kMigrationFailed = 3, kNotReady = 4, kInterrupted = 130 };

/// Parses the command line, runs what it asks for and returns the exit code. Errors go to stderr as "mtc: object:
/// cause" with the next command where there is one.
int run_command_line(int argc, char** argv, const Programs& programs);

}  // namespace mtc::cli
