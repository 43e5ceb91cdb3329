#pragma once

#include <functional>

#include "http/client.hpp"
#include "kube/client.hpp"
#include "kube/config.hpp"

namespace mtc::kube {

/// The Authorization header of the next request: fixed, from a file, or from an exec plugin.
class Credentials {
 public:
  virtual ~Credentials() = default;
  /// "" = none. Throws Error(kUnauthorized) naming the file or the plugin.
  virtual Task<std::string> authorization() = 0;
  /// The server answered 401: the next call must not give the same again if it can help it. Returns whether a new try
  /// makes sense.
  virtual bool refused() = 0;
};
std::shared_ptr<Credentials> make_credentials(const Connection& connection, const Clock& clock);

/// The plain client: one request a call, no retries, no rate control (throttled.hpp adds them).
ClientPtr make_rest_client(http::Client http, std::string url, std::shared_ptr<Credentials> credentials,
                           Duration request_limit);

/// Adds rate control and retries: a bucket of `requests_per_second`, `concurrent_requests` at once, 429 and Retry-After
/// honoured for the whole client, transient failures of what may safely be repeated tried again with back-off.
ClientPtr make_careful_client(ClientPtr inner, const ClientOptions& options, Rng& rng);

}  // namespace mtc::kube
