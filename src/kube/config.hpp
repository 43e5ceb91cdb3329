#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/rng.hpp"
#include "base/secret.hpp"
#include "kube/client.hpp"
#include "net/connect.hpp"

namespace mtc::kube {

/// How to reach one API server and who we are there.
struct Connection {
  std::string url;        ///< "https://10.90.0.11:6443"
  std::string ca_pem;     ///< empty = the system's roots
  bool insecure = false;  ///< no TLS verification
  std::string tls_server_name;
  Secret token;            ///< bearer token, or empty
  std::string token_file;  ///< re-read when it changes (projected service account tokens)
  std::string client_cert_pem;
  Secret client_key_pem;
  std::string username;  ///< basic auth
  Secret password;
  std::string proxy_url;  ///< "" = HTTPS_PROXY and NO_PROXY of the environment
  struct Exec {           ///< client.authentication.k8s.io exec plugin
    std::string api_version, command, install_hint;
    std::vector<std::string> args;
    std::vector<std::pair<std::string, std::string>> env;
    bool provide_cluster_info = false;
  };
  std::optional<Exec> exec;
  std::string default_namespace = "default";
};

struct ContextName {
  std::string context, cluster, user, ns;
};

/// A kubeconfig file (or several, merged as kubectl merges KUBECONFIG). Paths in it are relative to its own folder.
class Kubeconfig {
 public:
  /// Throws Error(kInvalid) naming file, entry and cause.
  static Kubeconfig load(const std::string& path);
  static Kubeconfig parse(std::string_view text, std::string_view folder = ".");
  /// $KUBECONFIG (colon list) or ~/.kube/config. Throws Error(kNotFound) if there is none.
  static Kubeconfig load_default();
  std::vector<ContextName> contexts() const;
  const std::string& current_context() const { return current_; }
  /// "" = the current context. Throws Error(kNotFound) listing the contexts there are.
  Connection connection(std::string_view context = "") const;

 private:
  std::string current_;
  std::shared_ptr<const Json> merged_;
};

/// The service account of the pod we run in; nullopt outside a cluster.
std::optional<Connection> in_cluster();

struct ClientOptions {
  double requests_per_second = 200;  ///< sustained; the bucket holds one second's worth
  std::size_t concurrent_requests = 32;
  Duration request_limit = std::chrono::seconds(30);
  net::ConnectorPtr connector;   ///< null = TCP, through the proxy if one is set
  const Clock* clock = nullptr;  ///< null = the machine's
  Rng* rng = nullptr;            ///< null = the system's
};
/// A client with retries, rate control and a connection pool. Throws Error(kInvalid) for a malformed URL, Error(kTls)
/// for unusable certificates; sends nothing yet.
ClientPtr make_client(Connection connection, ClientOptions options = {});

}  // namespace mtc::kube
