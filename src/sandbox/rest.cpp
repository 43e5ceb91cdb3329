#include "sandbox/rest.hpp"

#include <deque>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/strings.hpp"
#include "json/patch.hpp"
#include "json/selector.hpp"
#include "json/yaml.hpp"
#include "sandbox/auth.hpp"
#include "sandbox/discovery.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/filter.hpp"
#include "sandbox/protobuf.hpp"
#include "sandbox/table.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kJsonType = "application/json";
constexpr auto kBookmarkEvery = std::chrono::seconds(30);

http::Response json_response(int status, const Json& body) {
  return {status, "", {{"Content-Type", kJsonType}}, dump(body) + "\n"};
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

DryRun dry_run_of(const http::ServerRequest& request) {
  return request.param("dryRun") == "All" ? DryRun::kYes : DryRun::kNo;
}

bool wants_table(const http::ServerRequest& request) { return request.headers.get("Accept").contains("as=Table"); }

}  // namespace

/// What a path names.
struct Rest::Route {
  Resource resource;
  std::string ns, name, subresource;
};

namespace {

/// "/api/v1/namespaces/x/pods/y/status" in parts; the resource is looked up by the caller.
struct Path {
  std::string group, version, plural, ns, name, subresource;
};

std::optional<Path> parse_path(const std::string& text) {
  std::vector<std::string> parts;
  for (const auto& part : split(text, '/')) parts.push_back(percent_decode(part).value_or(""));
  if (parts.size() < 2) return std::nullopt;
  Path path;
  std::size_t at = 0;
  if (parts[1] == "api" && parts.size() > 3) {
    path.version = parts[2];
    at = 3;
  } else if (parts[1] == "apis" && parts.size() > 4) {
    path.group = parts[2];
    path.version = parts[3];
    at = 4;
  } else {
    return std::nullopt;
  }
  if (parts[at] == "namespaces" && parts.size() > at + 2 && parts[at + 2] != "status" && parts[at + 2] != "finalize") {
    path.ns = parts[at + 1];
    at += 2;
  }
  path.plural = parts[at];
  if (parts.size() > at + 1) path.name = parts[at + 1];
  if (parts.size() > at + 2) path.subresource = parts[at + 2];
  return parts.size() > at + 3 ? std::nullopt : std::optional(path);
}

std::string verb_of(const http::ServerRequest& request, const Path& path) {
  if (request.method == "POST") return "create";
  if (request.method == "PUT") return "update";
  if (request.method == "PATCH") return "patch";
  if (request.method == "DELETE") return path.name.empty() ? "deletecollection" : "delete";
  if (!path.name.empty()) return "get";
  return request.param("watch") == "true" || request.param("watch") == "1" ? "watch" : "list";
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

Task<void> Rest::answer(http::ServerRequest& request, http::ResponseWriter& writer) {
  auto path = request.path;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path == "/healthz" || path == "/livez" || path == "/readyz")
    co_return co_await writer.respond({200, "", {}, "ok"});
  if (path == "/version") {
    co_return co_await writer.respond(json_response(
        200, {{"major", "1"}, {"minor", "34"}, {"gitVersion", "v1.34.0+mtc"}, {"platform", "linux/amd64"}}));
  }
  const auto user = authenticate(request, objects_->storage(), clock_->now());
  if (const auto document = discovery_document(path, request.headers.get("Accept"), objects_->resources())) {
    co_return co_await writer.respond({200, "", {{"Content-Type", document->content_type}}, dump(document->body)});
  }
  if (const auto document = openapi_document(path, objects_->resources()))
    co_return co_await writer.respond(json_response(200, *document));
  if (path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") {
    co_return co_await writer.respond(json_response(201, review(request, co_await request.body())));
  }
  const auto parsed = parse_path(path);
  const auto resource =
      parsed ? objects_->resources().find(parsed->group, parsed->version, parsed->plural) : std::nullopt;
  if (!resource) throw Failure(404, "NotFound", "the server could not find the requested resource");
  const auto verb = verb_of(request, *parsed);
  if (!is_allowed(user, {verb, parsed->group, parsed->plural, parsed->subresource, parsed->ns, parsed->name},
                  objects_->storage())) {
    throw Failure(
        403, "Forbidden",
        fmt::format("{}{}{} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\"{}",
                    resource->type.group_resource(), parsed->name.empty() ? "" : " ",
                    parsed->name.empty() ? "" : "\"" + parsed->name + "\"", user.name, verb, parsed->plural,
                    parsed->group,
                    parsed->ns.empty() ? " at the cluster scope" : fmt::format(" in the namespace \"{}\"", parsed->ns)),
        Json{{"name", parsed->name}, {"group", parsed->group}, {"kind", parsed->plural}});
  }
  co_await on_resource({*resource, parsed->ns, parsed->name, parsed->subresource}, request, writer);
}

Task<void> Rest::on_resource(Route route, http::ServerRequest& request, http::ResponseWriter& writer) {
  const auto& [resource, ns, name, subresource] = route;
  if (name.empty() && request.method == "GET") {
    const bool watching = request.param("watch") == "true" || request.param("watch") == "1";
    co_return co_await (watching ? watch(route, request, writer) : list(route, request, writer));
  }
  const auto body = co_await request.body();
  if (request.method == "GET") {
    if (subresource == "scale") co_return co_await writer.respond(json_response(200, scale(route, request, "")));
    const auto object = objects_->must_get(resource, ns, name);
    if (wants_table(request))
      co_return co_await writer.respond(json_response(
          200, table_of(resource, {object}, string_at(object, "metadata.resourceVersion"), clock_->now())));
    co_return co_await writer.respond(json_response(200, object));
  }
  if (request.method == "POST" && subresource == "token")
    co_return co_await writer.respond(json_response(201, token_request(route, parse_body(request, body))));
  if (request.method == "POST" && name.empty()) {
    co_return co_await writer.respond(
        json_response(201, objects_->create(resource, ns, parse_body(request, body), dry_run_of(request))));
  }
  if (subresource == "scale") co_return co_await writer.respond(json_response(200, scale(route, request, body)));
  if (request.method == "PUT") {
    const auto part = subresource == "status" ? Part::kStatus : Part::kWhole;
    if (subresource == "status" && !resource.status_subresource)
      throw Failure(404, "NotFound", "the server could not find the requested resource");
    co_return co_await writer.respond(
        json_response(200, objects_->update(resource, ns, name, parse_body(request, body), part, dry_run_of(request))));
  }
  if (request.method == "PATCH") co_return co_await writer.respond(json_response(200, patched(route, request, body)));
  if (request.method == "DELETE" && !name.empty())
    co_return co_await writer.respond(
        json_response(200, objects_->remove(resource, ns, name, parse_body(request, body))));
  if (request.method == "DELETE") {
    const Filter filter(request);
    for (const auto& object : objects_->storage().list(resource.type.group_resource(), ns)) {
      if (filter.matches(object))
        objects_->remove(resource, string_at(object, "metadata.namespace"), string_at(object, "metadata.name"),
                         parse_body(request, body));
    }
    co_return co_await writer.respond(
        json_response(200, {{"kind", "Status"}, {"apiVersion", "v1"}, {"status", "Success"}}));
  }
  throw Failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
}

Task<void> Rest::list(Route route, http::ServerRequest& request, http::ResponseWriter& writer) {
  const auto& resource = route.resource;
  const Filter filter(request);
  const auto limit = static_cast<std::size_t>(std::max(0, std::atoi(std::string(request.param("limit")).c_str())));
  // "<revision>\n<namespace>\n<name>" of the last object of the page before. The revision is the first page's; once its
  // history is gone the token has expired, as on a real server.
  std::pair<std::string, std::string> after;
  auto revision = objects_->storage().revision();
  if (const auto token = request.param("continue"); !token.empty()) {
    const auto parts = split(base64url_decode(token).value_or(""), '\n');
    if (parts.size() != 3) throw Failure(400, "BadRequest", "continue key is not valid");
    revision = std::strtoull(parts[0].c_str(), nullptr, 10);
    after = {parts[1], parts[2]};
    if (!objects_->storage().since(revision)) {
      throw Failure(410, "Expired",
                    "The provided continue parameter is too old to display a consistent list result. You can start a "
                    "new list without the continue parameter.");
    }
  }
  std::vector<Json> items;
  std::string next;
  for (auto& object : objects_->storage().list(resource.type.group_resource(), route.ns, after)) {
    if (!filter.matches(object)) continue;
    if (limit > 0 && items.size() == limit) {
      const auto& last = items.back();
      next = base64url_encode(
          fmt::format("{}\n{}\n{}", revision, string_at(last, "metadata.namespace"), string_at(last, "metadata.name")));
      break;
    }
    object["apiVersion"] = resource.type.api_version();
    items.push_back(std::move(object));
  }
  Json body;
  if (wants_table(request)) {
    body = table_of(resource, items, std::to_string(revision), clock_->now());
  } else {
    body = {{"kind", resource.type.kind + "List"},
            {"apiVersion", resource.type.api_version()},
            {"metadata", {{"resourceVersion", std::to_string(revision)}}},
            {"items", std::move(items)}};
  }
  if (!next.empty()) body["metadata"]["continue"] = next;
  co_await writer.respond(json_response(200, body));
}

Task<void> Rest::watch(Route route, http::ServerRequest& request, http::ResponseWriter& writer) {
  const auto& resource = route.resource;
  const Filter filter(request);
  const bool as_table = wants_table(request);
  auto& storage = objects_->storage();
  std::deque<Event> queue;
  const auto concerns = [&](const Event& event) {
    return event.at.resource == resource.type.group_resource() && (route.ns.empty() || event.at.ns == route.ns);
  };

  const auto asked = std::string(request.param("resourceVersion"));
  if (asked.empty() || asked == "0") {
    for (auto& object : storage.list(resource.type.group_resource(), route.ns)) {
      const Address at{resource.type.group_resource(), string_at(object, "metadata.namespace"),
                       string_at(object, "metadata.name")};
      queue.push_back(
          {Event::Type::kAdded, storage.revision(), at, std::make_shared<const Json>(std::move(object)), nullptr});
    }
  } else {
    const auto missed = storage.since(std::strtoull(asked.c_str(), nullptr, 10));
    if (!missed)
      throw Failure(410, "Expired", fmt::format("too old resource version: {} ({})", asked, storage.revision()));
    for (const auto& event : *missed) {
      if (concerns(event)) queue.push_back(event);
    }
  }

  async::Event arrived;
  struct Subscription {
    Storage& from;
    int id;
    ~Subscription() { from.unsubscribe(id); }
  };
  const Subscription subscription{storage, storage.subscribe([&](const Event& event) {
                                    if (!concerns(event)) return;
                                    queue.push_back(event);
                                    arrived.set();
                                  })};
  const auto seconds = std::atoi(std::string(request.param("timeoutSeconds")).c_str());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds > 0 ? seconds : 1800);
  co_await writer.begin({200, "", {{"Content-Type", kJsonType}}});
  while (std::chrono::steady_clock::now() < end) {
    if (queue.empty()) {
      arrived.reset();
      const auto left = end - std::chrono::steady_clock::now();
      if (co_await arrived.wait_for(std::min<Duration>(kBookmarkEvery, left))) continue;
      const Json bookmark = {{"type", "BOOKMARK"},
                             {"object",
                              {{"kind", resource.type.kind},
                               {"apiVersion", resource.type.api_version()},
                               {"metadata", {{"resourceVersion", std::to_string(storage.revision())}}}}}};
      if (request.param("allowWatchBookmarks") == "true") co_await writer.write(dump(bookmark) + "\n");
      continue;
    }
    const auto event = queue.front();
    queue.pop_front();
    const auto type = filter.event_type(event);
    if (type.empty()) continue;
    Json object = *event.object;
    object["apiVersion"] = resource.type.api_version();
    if (as_table) object = table_of(resource, {object}, string_at(object, "metadata.resourceVersion"), clock_->now());
    co_await writer.write(dump({{"type", type}, {"object", object}}) + "\n");
  }
}

Json Rest::patched(const Route& route, const http::ServerRequest& request, const std::string& body) {
  const auto& [resource, ns, name, subresource] = route;
  const auto type = request.headers.get("Content-Type");
  const auto before = objects_->must_get(resource, ns, name);
  Json after;
  if (type.starts_with("application/json-patch+json")) {
    after = apply_json_patch(before, parse_body(request, body));
  } else if (type.starts_with("application/merge-patch+json") || type.starts_with("application/apply-patch+yaml")) {
    after = apply_merge_patch(before, parse_body(request, body));
  } else if (type.starts_with("application/strategic-merge-patch+json") && !resource.custom) {
    after = apply_strategic_patch(before, parse_body(request, body), resource.type.kind);
  } else {
    throw Failure(
        415, "UnsupportedMediaType",
        fmt::format("the body of the request was in an unknown format - accepted media types include: "
                    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml (got {})",
                    type));
  }
  // Unless the patch names a version itself, it applies to whatever is stored.
  return objects_->update(resource, ns, name, std::move(after), subresource == "status" ? Part::kStatus : Part::kWhole,
                          dry_run_of(request));
}

Json Rest::scale(const Route& route, const http::ServerRequest& request, const std::string& body) {
  const auto& [resource, ns, name, subresource] = route;
  if (!resource.scale_subresource) throw Failure(404, "NotFound", "the server could not find the requested resource");
  auto object = objects_->must_get(resource, ns, name);
  const auto shown = [&](const Json& of) {
    return Json{{"kind", "Scale"},
                {"apiVersion", "autoscaling/v1"},
                {"metadata",
                 {{"name", name},
                  {"namespace", ns},
                  {"uid", of["metadata"]["uid"]},
                  {"resourceVersion", of["metadata"]["resourceVersion"]}}},
                {"spec", {{"replicas", int_at(of, "spec.replicas").value_or(0)}}},
                {"status", {{"replicas", int_at(of, "status.replicas").value_or(0)}}}};
  };
  if (request.method == "GET") return shown(object);
  const auto wanted = request.method == "PATCH" ? apply_merge_patch(shown(object), parse_body(request, body))
                                                : parse_body(request, body);
  object["spec"]["replicas"] = int_at(wanted, "spec.replicas").value_or(0);
  return shown(objects_->update(resource, ns, name, object));
}

Json Rest::review(const http::ServerRequest& request, const std::string& body) {
  auto answer_body = parse_body(request, body);
  const auto& asked = object_at(answer_body, "spec.resourceAttributes");
  const auto user = authenticate(request, objects_->storage(), clock_->now());
  const AccessRequest what{string_at(asked, "verb"),        string_at(asked, "group"),     string_at(asked, "resource"),
                           string_at(asked, "subresource"), string_at(asked, "namespace"), string_at(asked, "name")};
  const bool allowed = is_allowed(user, what, objects_->storage());
  answer_body["kind"] = "SelfSubjectAccessReview";
  answer_body["apiVersion"] = "authorization.k8s.io/v1";
  answer_body["status"] = {{"allowed", allowed}};
  return answer_body;
}

Json Rest::token_request(const Route& route, const Json& wish) {
  objects_->must_get(route.resource, route.ns, route.name);
  const auto seconds = int_at(wish, "spec.expirationSeconds").value_or(3600);
  const auto expires = rfc3339(clock_->now() + std::chrono::seconds(seconds));
  const auto token = issue_token(objects_->storage(), route.ns, route.name, expires, *rng_);
  return {{"kind", "TokenRequest"},
          {"apiVersion", "authentication.k8s.io/v1"},
          {"metadata", {{"name", route.name}, {"namespace", route.ns}}},
          {"spec", object_at(wish, "spec")},
          {"status", {{"token", token}, {"expirationTimestamp", expires}}}};
}

}  // namespace mtc::sandbox
