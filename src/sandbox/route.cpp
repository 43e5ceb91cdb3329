#include "sandbox/route.hpp"

#include "base/encoding.hpp"
#include "base/strings.hpp"

namespace mtc::sandbox {
namespace {

std::string verb_of(const http::ServerRequest& request, const Route& route) {
  if (request.method == "POST") return "create";
  if (request.method == "PUT") return "update";
  if (request.method == "PATCH") return "patch";
  if (request.method == "DELETE") return route.name.empty() ? "deletecollection" : "delete";
  if (!route.name.empty()) return "get";  // of one object, whether or not it is to be watched
  return is_set(request, "watch") ? "watch" : "list";
}

}  // namespace

bool is_set(const http::ServerRequest& request, std::string_view parameter) {
  const auto value = request.param(parameter);
  return value == "true" || value == "1";
}

std::optional<Route> parse_route(const http::ServerRequest& request, std::string_view path) {
  std::vector<std::string> parts;
  for (const auto& part : split(path, '/')) parts.push_back(percent_decode(part).value_or(""));
  if (parts.size() < 2) return std::nullopt;
  Route route;
  std::size_t at = 0;
  if (parts[1] == "api" && parts.size() > 3) {
    route.version = parts[2];
    at = 3;
  } else if (parts[1] == "apis" && parts.size() > 4) {
    route.group = parts[2];
    route.version = parts[3];
    at = 4;
  } else {
    return std::nullopt;
  }
  const bool inside = parts[at] == "namespaces" && parts.size() > at + 2;
  if (inside && parts[at + 2] != "status" && parts[at + 2] != "finalize") {
    route.ns = parts[at + 1];
    at += 2;
  }
  route.plural = parts[at];
  if (parts.size() > at + 1) route.name = parts[at + 1];
  if (parts.size() > at + 2) route.subresource = parts[at + 2];
  if (parts.size() > at + 3) return std::nullopt;
  route.verb = verb_of(request, route);
  return route;
}

}  // namespace mtc::sandbox
