#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/scope.hpp"
#include "async/task.hpp"
#include "http/client.hpp"
#include "oci/authorizer.hpp"
#include "oci/registry.hpp"

namespace mtc::oci {

/// The conversation with one registry: says who asks, follows redirects (credentials stay behind where another host is
/// meant), tries again, and turns refusals into Errors that say what was being done and where.
class Session {
 public:
  /// Throws as make_registry.
  explicit Session(RegistryOptions options);

  struct Call {
    std::string doing;  ///< for messages: "read manifest v1 of shop/web"
    std::string method = "GET";
    std::string target;  ///< path and query at the registry, or a whole URL (the location of an upload)
    std::string scopes = {};
    http::Headers headers = {};
    std::string body = {};
    std::shared_ptr<http::BodySource> source = nullptr;  ///< can be sent once; see attempt()
  };

  /// The head of the answer to `call` if its status is 2xx or among `fine`, its body to be read; everything else is
  /// thrown, after retries.
  Task<http::ResponseStreamPtr> open(Call call, std::vector<int> fine = {});
  /// As open, with a body of at most `most` bytes read: Error(kCorrupt) beyond.
  Task<http::Response> call(Call call, std::vector<int> fine = {}, std::size_t most = kMaxAnswer);
  /// As call, without retries. If the credentials of a call with a source were refused but others can be had,
  /// Error(kUnavailable): the next call will send those.
  Task<http::Response> attempt(Call call, std::vector<int> fine = {});

  /// Of a repository, for what this client may do: "repository:shop/web:pull,push".
  std::string scope_of(const std::string& repository, const std::string& actions = "") const;
  const RegistryOptions& options() const { return options_; }
  Rng& rng() const { return *options_.rng; }
  std::string describe() const { return "registry " + options_.host; }
  /// `error` with what was being done, and where.
  Error failed(Error error, const Call& call) const;

 private:
  static constexpr std::size_t kMaxAnswer = 4 * 1024 * 1024;

  struct Target {
    http::Url origin;
    std::string path;  ///< and query
    bool ours = false;
  };

  Task<http::Url> origin();
  Task<http::Url> find_origin();
  Target resolve(const http::Url& home, const std::string& location, const Target* from) const;
  http::Client client_for(const http::Url& origin);
  Task<http::ResponseStreamPtr> attempt_open(Call call, std::vector<int> fine);
  Task<http::Response> attempt_whole(Call call, std::vector<int> fine, std::size_t most);
  Task<http::ResponseStreamPtr> send(Call call, std::vector<int> fine);
  /// Whether another try with other credentials is worth it.
  bool learn(const http::ResponseHead& head, const std::string& sent, const Call& call);

  RegistryOptions options_;
  std::shared_ptr<const net::TlsClient> tls_;
  std::optional<http::Url> origin_;
  async::Semaphore finding_{1};
  std::map<std::string, http::Client> clients_;  ///< by origin
  Authorizer authorizer_;
};

/// Reads what is left of a body, at most `most` bytes of it; Error(kCorrupt) beyond.
Task<std::string> read_body(http::ResponseStream* stream, Duration stall, std::size_t most);

}  // namespace mtc::oci
