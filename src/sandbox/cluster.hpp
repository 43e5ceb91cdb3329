#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "kube/client.hpp"
#include "kube/config.hpp"
#include "net/connect.hpp"

namespace mtc::sandbox {

struct ClusterOptions {
  std::string name = "sandbox";
  std::string state = ":memory:";  ///< SQLite file; ":memory:" forgets
  net::Endpoint listen{"127.0.0.1", 0};
  std::vector<std::string> extra_sans;  ///< more names and addresses for the serving certificate
  bool run_workloads = true;  ///< deployments to pods, pods to Running, garbage collection, namespaces, tokens …
  std::string program = "/proc/self/exe";  ///< what pods of mtc's own image run
  const Clock* clock = nullptr;            ///< null = the machine's
  Rng* rng = nullptr;                      ///< null = the system's
};

/// An embedded Kubernetes cluster: an API server on SQLite and the few controllers a cluster needs
/// (docs/reference/sandbox.md says what it does and does not do). Its CA, admin credentials and objects live in the
/// state file, its volumes beside it in "<state>.files".
class Cluster {
 public:
  /// Opens the state, listens and serves; returns when /readyz would say ok. Throws Error naming the file or address.
  static Task<std::unique_ptr<Cluster>> start(ClusterOptions options);
  virtual ~Cluster() = default;

  virtual const std::string& name() const = 0;
  /// "https://127.0.0.1:34567".
  virtual const std::string& url() const = 0;
  virtual const std::string& ca_pem() const = 0;
  /// Cluster-admin by client certificate.
  virtual kube::Connection admin() const = 0;
  /// A kubeconfig file of that admin.
  virtual std::string kubeconfig() const = 0;
  /// A client of that admin over real TLS.
  virtual kube::ClientPtr client() = 0;
  /// Ends connections, controllers and the state file in order. Await it before destruction.
  virtual Task<void> stop() = 0;
};

}  // namespace mtc::sandbox
