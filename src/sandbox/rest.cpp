#include "sandbox/rest.hpp"

#include <fmt/format.h>

#include "base/strings.hpp"
#include "json/patch.hpp"
#include "json/schema.hpp"
#include "json/yaml.hpp"
#include "sandbox/built_in_types.hpp"
#include "sandbox/discovery.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/filter.hpp"
#include "sandbox/lists.hpp"
#include "sandbox/openapi.hpp"
#include "sandbox/pod_log.hpp"
#include "sandbox/port_forward.hpp"
#include "sandbox/present.hpp"
#include "sandbox/protobuf.hpp"
#include "sandbox/reviews.hpp"
#include "sandbox/scale.hpp"

namespace mtc::sandbox {
namespace {

http::Response json_response(int status, const Json& body) {
  return {status, "", {{"Content-Type", "application/json"}}, dump(body) + "\n"};
}

[[noreturn]] void throw_unknown() {
  throw Failure(404, "NotFound", "the server could not find the requested resource");
}

Json parse_body(const http::ServerRequest& request, const std::string& body) {
  if (body.empty()) return Json::object();
  if (is_protobuf(body)) {
    auto object = from_protobuf(body);
    if (!object)
      throw Failure(415, "UnsupportedMediaType",
                    "the embedded cluster reads this kind as JSON or YAML only: use kubectl apply or create -f");
    return std::move(*object);
  }
  try {
    return request.headers.get("Content-Type").contains("yaml") ? parse_yaml_one(body) : parse_json(body);
  } catch (const Error& error) {
    throw Failure(400, "BadRequest", error.what());
  }
}

Manner manner_of(const http::ServerRequest& request, const std::string& subresource = "") {
  Manner out;
  out.manager = request.param("fieldManager");
  if (out.manager.empty()) {
    const auto agent = request.headers.get("User-Agent");
    out.manager = agent.empty() ? "unknown" : split(agent, '/').front();
  }
  out.subresource = subresource;
  if (subresource == "status") out.part = Part::kStatus;
  if (const auto dry_run = request.param("dryRun"); dry_run == "All") {
    out.dry_run = DryRun::kYes;
  } else if (!dry_run.empty()) {
    throw Failure(422, "Invalid", fmt::format("dryRun: Unsupported value: \"{}\": supported values: \"All\"", dry_run));
  }
  return out;
}

/// Refuses what the kind does not know, or names it in warnings, as fieldValidation asks.
std::vector<std::string> unknown_fields(const Resource& resource, const http::ServerRequest& request,
                                        const Json& object) {
  const auto mode = request.param("fieldValidation");
  const auto* type = resource.custom ? nullptr : built_in_type(resource.type.kind);
  if ((resource.schema.is_null() && type == nullptr) || mode == "Ignore") return {};
  auto copy = object;
  std::vector<std::string> unknown;
  for (const auto& field : type != nullptr ? decode(*type, copy) : prune(resource.schema, copy))
    unknown.push_back(fmt::format("unknown field \"{}\"", field));
  if (!unknown.empty() && mode == "Strict") {
    throw Failure(400, "BadRequest",
                  fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: strict decoding error: {2}",
                              resource.type.kind, resource.type.version, join(unknown, ", ")));
  }
  return unknown;
}

http::Response with_warnings(http::Response response, const std::vector<std::string>& warnings) {
  for (const auto& text : warnings) response.headers.add("Warning", fmt::format("299 - {}", dump(Json(text))));
  return response;
}

/// A patch as its type says, on what is stored.
Json patched(const Resource& resource, const std::string& type, const Json& before, const Json& patch) {
  if (type.starts_with("application/json-patch+json")) {
    if (!patch.is_array()) throw Failure(400, "BadRequest", "a JSON patch is an array of operations");
    try {
      return apply_json_patch(before, patch);
    } catch (const Error& error) {
      throw Failure(422, "Invalid",
                    fmt::format("the server rejected our request due to an error in our request: {}", error.what()));
    }
  }
  if (type.starts_with("application/merge-patch+json")) {
    if (!patch.is_object()) throw Failure(400, "BadRequest", "a merge patch is an object");
    return apply_merge_patch(before, patch);
  }
  if (type.starts_with("application/strategic-merge-patch+json") && !resource.custom) {
    try {
      return apply_strategic_patch(before, patch, resource.type.kind);
    } catch (const Error& error) {
      throw Failure(500, "InternalError", error.what());  // so a real server says
    }
  }
  throw Failure(415, "UnsupportedMediaType",
                fmt::format("the body of the request was in an unknown format - accepted media types include: "
                            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml "
                            "(got {})",
                            type));
}

}  // namespace

Task<void> Rest::handle(http::ServerRequest& request, http::ResponseWriter& writer) {
  std::optional<http::Response> refusal;
  try {
    co_await answer(request, writer);
  } catch (const Failure& failure) {
    refusal = json_response(failure.code(), failure.status());
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid) throw;
    refusal = json_response(400, Failure(400, "BadRequest", error.what()).status());
  }
  if (refusal) co_await writer.respond(std::move(*refusal));
}

std::optional<http::Response> Rest::document(const std::string& path, const http::ServerRequest& request) const {
  if (path == "/healthz" || path == "/livez" || path == "/readyz") return http::Response{200, "", {}, "ok"};
  if (path == "/version") {
    return json_response(200,
                         {{"major", "1"}, {"minor", "34"}, {"gitVersion", "v1.34.0+mtc"}, {"platform", "linux/amd64"}});
  }
  if (const auto found = discovery_document(path, request.headers.get("Accept"), objects_->resources()))
    return http::Response{200, "", {{"Content-Type", found->content_type}}, dump(found->body)};
  if (const auto found = openapi_document(path, objects_->resources())) return json_response(200, *found);
  return std::nullopt;
}

Task<void> Rest::answer(http::ServerRequest& request, http::ResponseWriter& writer) {
  auto path = request.path;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const auto user = authenticate(request, objects_->storage(), clock_->now());
  if (is_review(path) && request.method == "POST") {
    const auto body = co_await request.body();
    auto reply = review(path, user, parse_body(request, body), objects_->storage(), clock_->now());
    if (!reply) throw_unknown();
    co_return co_await writer.respond(json_response(201, *reply));
  }
  auto route = parse_route(request, path);
  if (!route) {
    if (!is_allowed(user, {to_lower(request.method), "", "", "", "", "", path}, objects_->storage())) {
      throw Failure(
          403, "Forbidden",
          fmt::format("forbidden: User \"{}\" cannot {} path \"{}\"", user.name, to_lower(request.method), path));
    }
    auto found = document(path, request);
    if (!found) throw_unknown();
    co_return co_await writer.respond(std::move(*found));
  }
  check_access(user, *route, request);
  route->resource = objects_->resources().find(route->group, route->version, route->plural);
  if (!route->resource) throw_unknown();
  co_await on_resource(std::move(*route), user, request, writer);
}

void Rest::check_access(const User& user, const Route& route, const http::ServerRequest& request) const {
  auto name = route.name;
  // Who may see one object by its name may also list and watch it alone.
  if (name.empty() && (route.verb == "list" || route.verb == "watch")) {
    const auto resource = objects_->resources().find(route.group, route.version, route.plural);
    if (resource) name = Filter(*resource, request).only_name();
  }
  if (is_allowed(user, {route.verb, route.group, route.plural, route.subresource, route.ns, name}, objects_->storage()))
    return;
  const auto resource = route.plural + (route.subresource.empty() ? "" : "/" + route.subresource);
  throw Failure(
      403, "Forbidden",
      fmt::format("{}{}{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\"{}", route.plural,
                  route.group.empty() ? "" : "." + route.group,
                  route.name.empty() ? "" : fmt::format(" \"{}\"", route.name), user.name, route.verb, resource,
                  route.group,
                  route.ns.empty() ? " at the cluster scope" : fmt::format(" in the namespace \"{}\"", route.ns)),
      Json{{"name", route.name}, {"group", route.group}, {"kind", route.plural}});
}

Task<void> Rest::on_resource(Route route, User user, http::ServerRequest& request, http::ResponseWriter& writer) {
  if (route.verb == "watch")
    co_return co_await watch_objects(objects_->storage(), *clock_, std::move(route), request, writer);
  if (route.verb == "list") {
    co_return co_await writer.respond(
        json_response(200, list_objects(objects_->storage(), route, request, clock_->now())));
  }
  const auto body = co_await request.body();
  const auto& resource = *route.resource;
  const auto& part = route.subresource;
  const bool has_part = part.empty() || (part == "status" && resource.status_subresource) ||
                        (part == "scale" && resource.scale_subresource) ||
                        (part == "finalize" && resource.type.kind == "Namespace") ||
                        (part == "token" && resource.type.kind == "ServiceAccount") ||
                        ((part == "eviction" || part == "log" || part == "portforward") && resource.type.kind == "Pod");
  if (!has_part) throw_unknown();
  if (part == "log" && request.method == "GET") {
    const auto pod = objects_->must_get(resource, route.ns, route.name);
    co_return co_await serve_log(*pod, folder_->pod(string_at(*pod, "metadata.uid")), &objects_->storage(), request,
                                 writer);
  }
  if (part == "portforward")
    co_return co_await serve_port_forward(*objects_->must_get(resource, route.ns, route.name), request, writer);
  std::optional<http::Response> reply;
  if (part == "token" && request.method == "POST") {
    reply = json_response(201, token_request(route, parse_body(request, body)));
  } else if (part == "eviction" && request.method == "POST") {
    reply = remove(route, request, "");
    reply->status = 201;
  } else if (part == "scale") {
    reply = scale(route, request, body);
  } else if (request.method == "GET") {
    reply = read(route, request);
  } else if (request.method == "POST" && route.name.empty()) {
    reply = create(route, request, body);
  } else if (request.method == "PUT") {
    reply = replace(route, request, body);
  } else if (request.method == "PATCH") {
    reply = patch(route, user, request, body);
  } else if (request.method == "DELETE" && part.empty()) {
    reply = route.name.empty() ? remove_collection(route, request, body) : remove(route, request, body);
  } else {
    throw Failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }
  co_await writer.respond(std::move(*reply));
}

http::Response Rest::read(const Route& route, const http::ServerRequest& request) const {
  const auto object = objects_->must_get(*route.resource, route.ns, route.name);
  return json_response(200, Presentation(route.resource, request, clock_->now()).object(*object));
}

http::Response Rest::create(const Route& route, const http::ServerRequest& request, const std::string& body) {
  auto object = parse_body(request, body);
  const auto warnings = unknown_fields(*route.resource, request, object);
  const auto made = objects_->create(*route.resource, route.ns, std::move(object), manner_of(request));
  return with_warnings(json_response(201, Presentation(route.resource, request, clock_->now()).object(*made)),
                       warnings);
}

http::Response Rest::replace(const Route& route, const http::ServerRequest& request, const std::string& body) {
  auto object = parse_body(request, body);
  const auto warnings = unknown_fields(*route.resource, request, object);
  if (route.resource->custom && string_at(object, "metadata.resourceVersion").empty()) {
    throw_invalid(
        *route.resource, route.name,
        {{"metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0: must be specified for an update"}});
  }
  const auto stored =
      objects_->update(*route.resource, route.ns, route.name, std::move(object), manner_of(request, route.subresource));
  return with_warnings(json_response(200, *stored), warnings);
}

http::Response Rest::patch(const Route& route, const User& user, const http::ServerRequest& request,
                           const std::string& body) {
  const auto type = std::string(request.headers.get("Content-Type"));
  if (type.starts_with("application/apply-patch")) return apply(route, user, request, parse_body(request, body));
  const auto& resource = *route.resource;
  const auto before = objects_->must_get(resource, route.ns, route.name);
  auto after = patched(resource, type, *before, parse_body(request, body));
  if (const auto uid = string_at(after, "metadata.uid"); uid != string_at(*before, "metadata.uid"))
    throw_invalid(
        resource, route.name,
        {{"metadata.uid", "FieldValueInvalid", fmt::format("Invalid value: \"{}\": field is immutable", uid)}});
  const auto warnings = unknown_fields(resource, request, after);
  // Unless the patch names a version itself, it applies to whatever is stored.
  const auto stored =
      objects_->update(resource, route.ns, route.name, std::move(after), manner_of(request, route.subresource));
  return with_warnings(json_response(200, Presentation(route.resource, request, clock_->now()).object(*stored)),
                       warnings);
}

http::Response Rest::apply(const Route& route, const User& user, const http::ServerRequest& request,
                           Json configuration) {
  if (request.param("fieldManager").empty()) {
    throw Failure(
        422, "Invalid",
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
  }
  const auto& resource = *route.resource;
  const bool exists = objects_->storage().get({resource.type.group_resource(), resource.type.namespaced ? route.ns : "",
                                               route.name}) != nullptr;
  if (!exists) {
    auto creation = route;
    creation.verb = "create";
    check_access(user, creation, request);
  }
  const auto warnings = unknown_fields(resource, request, configuration);
  const auto applied =
      objects_->apply(resource, route.ns, route.name, std::move(configuration),
                      is_set(request, "force") ? Force::kYes : Force::kNo, manner_of(request, route.subresource));
  return with_warnings(json_response(applied.created ? 201 : 200,
                                     Presentation(route.resource, request, clock_->now()).object(*applied.object)),
                       warnings);
}

http::Response Rest::scale(const Route& route, const http::ServerRequest& request, const std::string& body) {
  const auto& resource = *route.resource;
  const auto object = objects_->must_get(resource, route.ns, route.name);
  if (request.method == "GET") return json_response(200, scale_of(resource, *object));
  auto wanted = parse_body(request, body);
  if (request.method == "PATCH") wanted = apply_merge_patch(scale_of(resource, *object), wanted);
  auto manner = manner_of(request);
  manner.subresource = "scale";
  const auto stored = objects_->update(resource, route.ns, route.name, scaled(resource, *object, wanted), manner);
  return json_response(200, scale_of(resource, *stored));
}

http::Response Rest::remove(const Route& route, const http::ServerRequest& request, const std::string& body) {
  auto options = parse_body(request, body);
  if (request.param("dryRun") == "All") options["dryRun"] = {"All"};
  if (const auto policy = request.param("propagationPolicy"); !policy.empty()) options["propagationPolicy"] = policy;
  const auto removed = objects_->remove(*route.resource, route.ns, route.name, options);
  if (!removed.gone) return json_response(200, *removed.object);
  return json_response(200, {{"kind", "Status"},
                             {"apiVersion", "v1"},
                             {"metadata", Json::object()},
                             {"status", "Success"},
                             {"details",
                              {{"name", route.name},
                               {"group", route.group},
                               {"kind", route.plural},
                               {"uid", string_at(*removed.object, "metadata.uid")}}}});
}

http::Response Rest::remove_collection(const Route& route, const http::ServerRequest& request,
                                       const std::string& body) {
  const auto& resource = *route.resource;
  const Filter filter(resource, request);
  auto options = parse_body(request, body);
  if (request.param("dryRun") == "All") options["dryRun"] = {"All"};
  std::vector<ObjectPtr> gone;
  for (const auto& object : objects_->storage().list(resource.type.group_resource(), route.ns)) {
    if (!filter.matches(*object)) continue;
    gone.push_back(
        objects_
            ->remove(resource, string_at(*object, "metadata.namespace"), string_at(*object, "metadata.name"), options)
            .object);
  }
  return json_response(200, Presentation(route.resource, request, clock_->now()).list(gone, Json::object()));
}

Json Rest::token_request(const Route& route, Json wish) {
  constexpr std::int64_t hour = 3600, least = 600;
  objects_->must_get(*route.resource, route.ns, route.name);
  const auto seconds = int_at(wish, "spec.expirationSeconds").value_or(hour);
  if (seconds < least) {
    throw Failure(422, "Invalid",
                  fmt::format("TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid "
                              "value: {}: may not specify a duration less than 10 minutes",
                              seconds));
  }
  const auto now = clock_->now();
  const auto expires = now + std::chrono::seconds(seconds);
  auto& spec = wish["spec"];
  spec["expirationSeconds"] = seconds;
  if (!spec.contains("audiences")) spec["audiences"] = {"https://kubernetes.default.svc"};
  return {{"kind", "TokenRequest"},
          {"apiVersion", "authentication.k8s.io/v1"},
          {"metadata", {{"name", route.name}, {"namespace", route.ns}}},
          {"spec", spec},
          {"status",
           {{"token", issue_token(objects_->storage(), route.ns, route.name, expires, now, *rng_)},
            {"expirationTimestamp", rfc3339(expires)}}}};
}

}  // namespace mtc::sandbox
