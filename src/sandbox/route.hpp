#pragma once

#include <optional>
#include <string>

#include "http/server.hpp"
#include "sandbox/resources.hpp"

namespace mtc::sandbox {

/// What a request is about and what it wants to do there.
struct Route {
  std::string group, version, plural, ns, name, subresource;
  std::string verb;      ///< "get", "list", "watch", "create" … as RBAC names them
  ResourcePtr resource;  ///< filled in by whoever looks it up
};
/// "/api/v1/namespaces/x/pods/y/status" in parts; nullopt for a path that names no resource.
std::optional<Route> parse_route(const http::ServerRequest& request, std::string_view path);

/// True for a parameter that is "true" or "1".
bool is_set(const http::ServerRequest& request, std::string_view parameter);

}  // namespace mtc::sandbox
