#pragma once

#include "async/task.hpp"
#include "http/server.hpp"
#include "sandbox/auth.hpp"
#include "sandbox/folder.hpp"
#include "sandbox/objects.hpp"
#include "sandbox/route.hpp"

namespace mtc::sandbox {

/// The REST face of a cluster: routes a request, checks who may do it, and answers as a kube-apiserver does.
class Rest {
 public:
  Rest(Objects* objects, const Folder* folder, const Clock* clock, Rng* rng)
      : objects_(objects), folder_(folder), clock_(clock), rng_(rng) {}
  /// For http::Server; both references outlive the task.
  Task<void> handle(http::ServerRequest& request, http::ResponseWriter& writer);

 private:
  Task<void> answer(http::ServerRequest& request, http::ResponseWriter& writer);
  Task<void> on_resource(Route route, User user, http::ServerRequest& request, http::ResponseWriter& writer);
  std::optional<http::Response> document(const std::string& path, const http::ServerRequest& request) const;
  void check_access(const User& user, const Route& route, const http::ServerRequest& request) const;
  http::Response read(const Route& route, const http::ServerRequest& request) const;
  http::Response create(const Route& route, const http::ServerRequest& request, const std::string& body);
  http::Response replace(const Route& route, const http::ServerRequest& request, const std::string& body);
  http::Response patch(const Route& route, const User& user, const http::ServerRequest& request,
                       const std::string& body);
  http::Response apply(const Route& route, const User& user, const http::ServerRequest& request, Json configuration);
  http::Response scale(const Route& route, const http::ServerRequest& request, const std::string& body);
  http::Response remove(const Route& route, const http::ServerRequest& request, const std::string& body);
  http::Response remove_collection(const Route& route, const http::ServerRequest& request, const std::string& body);
  Json token_request(const Route& route, Json wish);

  Objects* objects_;
  const Folder* folder_;
  const Clock* clock_;
  Rng* rng_;
};

}  // namespace mtc::sandbox
