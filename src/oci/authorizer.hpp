#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/scope.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "http/client.hpp"
#include "oci/challenge.hpp"
#include "oci/credentials.hpp"

namespace mtc::oci {

/// Tells a registry who asks, in the way that its challenges demand: basic, or with tokens of the server that they name
/// (docs: distribution/spec/auth/token), which are kept until shortly before they expire. Nothing is sent before it was
/// asked for.
class Authorizer {
 public:
  struct Options {
    std::vector<Credential> credentials;  ///< tried in turn
    const Clock* clock;
    bool plain_allowed;  ///< whether credentials may go to a token server without TLS
    /// The client for a token server.
    std::function<http::Client(const http::Url& origin)> client_for;
  };
  explicit Authorizer(Options options) : options_(std::move(options)) {}

  /// The Authorization field of a request that needs `scopes` (blank-separated: "repository:shop/web:pull"); "" while
  /// nobody has asked. Throws what fetching a token does: Error(kUnauthorized) where a token server refuses all
  /// credentials, kUnsupported for a realm that cannot be used.
  Task<std::string> field(std::string scopes);
  /// Learns from a refusal (401) of a request that was sent with `sent`. False if another try would end the same. With
  /// several credentials it goes round: the caller bounds how often it asks.
  bool learn(const http::Headers& headers, const std::string& sent, const std::string& scopes);

 private:
  enum class Way { kUnasked, kBasic, kBearer };
  struct Token {
    std::string field;  ///< "Bearer …"
    Time renew_at{};
    bool reused = false;  ///< it has served more than the request it was fetched for
    std::shared_ptr<async::Semaphore> turn = std::make_shared<async::Semaphore>(1);  ///< one asks, the others wait
  };

  bool needs_no_server(const Credential& with) const;
  bool next_credential();
  Credential credential() const;
  Task<std::string> token(std::string scopes);
  Task<http::Response> ask(std::string scopes, Credential credential) const;
  /// Keeps what a token server has answered.
  void keep(Token& token, const std::string& body, Time asked) const;

  Options options_;
  Way way_ = Way::kUnasked;
  std::string realm_, service_;
  std::size_t current_ = 0;  ///< of the credentials
  std::map<std::string, Token> tokens_;
};

}  // namespace mtc::oci
