#pragma once

#include <functional>
#include <string>

#include "async/task.hpp"

namespace mtc::oci::testing {

/// Debian's docker-registry, on a free port of the loopback and with a folder of its own.
struct DockerRegistry {
  std::string auth = {};      ///< the "auth" part of its configuration, as YAML in one line
  std::string cert_pem = {};  ///< with key_pem: speaks TLS
  std::string key_pem = {};
  std::string token_ca_pem = {};  ///< becomes the file "token-ca.pem", beside "htpasswd"
  std::string htpasswd = {};

  static bool installed();
  /// Runs it while `use` runs with its "127.0.0.1:port"; rethrows what that threw. Paths in `auth` may begin with
  /// "FOLDER/".
  Task<void> run(std::function<Task<void>(std::string host)> use) const;
};

}  // namespace mtc::oci::testing
