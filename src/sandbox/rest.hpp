#pragma once

#include "async/task.hpp"
#include "http/server.hpp"
#include "sandbox/objects.hpp"

namespace mtc::sandbox {

/// The REST face of a cluster: routes a request, checks who may do it, and answers as a kube-apiserver does.
class Rest {
 public:
  Rest(Objects* objects, const Clock* clock, Rng* rng) : objects_(objects), clock_(clock), rng_(rng) {}
  /// For http::Server; both references outlive the task.
  Task<void> handle(http::ServerRequest& request, http::ResponseWriter& writer);

 private:
  struct Route;
  Task<void> answer(http::ServerRequest& request, http::ResponseWriter& writer);
  Task<void> on_resource(Route route, http::ServerRequest& request, http::ResponseWriter& writer);
  Task<void> list(Route route, http::ServerRequest& request, http::ResponseWriter& writer);
  Task<void> watch(Route route, http::ServerRequest& request, http::ResponseWriter& writer);
  Json patched(const Route& route, const http::ServerRequest& request, const std::string& body);
  Json scale(const Route& route, const http::ServerRequest& request, const std::string& body);
  Json review(const http::ServerRequest& request, const std::string& body);
  Json token_request(const Route& route, const Json& wish);

  Objects* objects_;
  const Clock* clock_;
  Rng* rng_;
};

}  // namespace mtc::sandbox
