#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "http/server.hpp"
#include "net/tls.hpp"

namespace mtc::oci::testing {

/// A token server for tests (distribution/spec/auth/token): signs tokens that docker-registry believes, and that
/// RegistryDouble asks about. Serve handle() by http::testing::with_server.
class TokenServer {
 public:
  TokenServer();

  std::string username = "user";
  std::string password = "secret";
  std::string refresh_token = "refresh";  ///< is taken in place of name and password
  std::chrono::seconds lifetime{300};     ///< as tokens tell it
  std::set<std::string> denied = {};      ///< "repository:shop/web:push": left out of tokens
  int status = 200;                       ///< other than that: what it answers
  static constexpr const char* kService = "registry.test";
  static constexpr const char* kIssuer = "issuer.test";

  Task<void> handle(http::ServerRequest& request, http::ResponseWriter& writer);
  /// Whether it has issued `token`, has not revoked it, and it allows this: "repository:shop/web:push".
  bool allows(const std::string& token, const std::string& access) const;
  void revoke_all() { issued_.clear(); }
  /// How many tokens it has issued.
  unsigned count() const { return count_; }
  /// The authority behind its signatures, PEM.
  const std::string& ca_pem() const { return ca_.cert_pem; }

 private:
  bool knows(const http::ServerRequest& request, const std::string& form) const;
  std::string token_for(const std::string& scopes);

  net::Certificate ca_, signer_;
  std::map<std::string, std::set<std::string>> issued_;  ///< what each allows
  unsigned count_ = 0;
};

}  // namespace mtc::oci::testing
