#include "kube/rest_client.hpp"

#include <utility>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"
#include "kube/discovery.hpp"
#include "kube/port_forward.hpp"
#include "kube/status.hpp"

namespace mtc::kube {
namespace {

constexpr std::size_t kMaxRefusal = 64 * 1024;           ///< of the body of an answer that is an error
constexpr std::size_t kMaxWatchLine = 32 * 1024 * 1024;  ///< one object; etcd's own limit is 1.5 MiB

std::string path_of(const ResourceType& type, const std::string& ns, const std::string& name,
                    const std::string& subresource) {
  auto path = type.group.empty() ? "/api/" + type.version : fmt::format("/apis/{}/{}", type.group, type.version);
  if (type.namespaced && !ns.empty()) path += "/namespaces/" + percent_encode(ns);
  path += "/" + type.plural;
  if (!name.empty()) path += "/" + percent_encode(name);
  if (!subresource.empty()) path += "/" + subresource;
  return path;
}

void add(http::Query& query, const char* name, const std::string& value) {
  if (!value.empty()) query.emplace_back(name, value);
}

http::Query write_query(const WriteOptions& options) {
  http::Query query;
  if (options.dry_run == DryRun::kYes) query.emplace_back("dryRun", "All");
  add(query, "fieldManager", options.field_manager);
  return query;
}

const char* content_type_of(PatchKind kind) {
  switch (kind) {
    case PatchKind::kMerge: return "application/merge-patch+json";
    case PatchKind::kJson: return "application/json-patch+json";
    case PatchKind::kStrategic: return "application/strategic-merge-patch+json";
    case PatchKind::kApply: return "application/apply-patch+yaml";
  }
  return "application/merge-patch+json";
}

Json delete_body(const DeleteOptions& options) {
  Json body = {{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
  switch (options.propagation) {
    case Propagation::kBackground: body["propagationPolicy"] = "Background"; break;
    case Propagation::kForeground: body["propagationPolicy"] = "Foreground"; break;
    case Propagation::kOrphan: body["propagationPolicy"] = "Orphan"; break;
  }
  if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
  if (options.grace_seconds) body["gracePeriodSeconds"] = *options.grace_seconds;
  return body;
}

/// Nothing that an API server sends in JSON is anything else than an object.
void check_object(const Json& value, std::string_view doing) {
  if (!value.is_object()) throw Error(Code::kCorrupt, fmt::format("{}: this is no object", doing));
}

/// Lists leave apiVersion and kind out of their items.
void name_type(Json& object, const ResourceType& type) {
  object["apiVersion"] = type.api_version();
  object["kind"] = type.kind;
}

class HttpWatch final : public Watch {
 public:
  HttpWatch(http::ResponseStreamPtr stream, std::string doing) : stream_(std::move(stream)), doing_(std::move(doing)) {}

  Task<std::optional<WatchEvent>> next() override {
    for (;;) {
      const auto end = buffer_.find('\n', searched_);
      if (end != std::string::npos) {
        auto line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        searched_ = 0;
        if (line.empty()) continue;
        co_return read(line);
      }
      searched_ = buffer_.size();
      if (buffer_.size() > kMaxWatchLine) throw Error(Code::kCorrupt, doing_ + ": an event longer than 32 MiB");
      const auto piece = co_await stream_->read();
      if (piece.empty()) co_return std::nullopt;
      buffer_ += piece;
    }
  }

 private:
  WatchEvent read(const std::string& line) const {
    auto event = parse_json(line);
    const auto type = string_at(event, "type");
    if (type == "ERROR") {
      const auto& status = object_at(event, "object");
      const auto code =
          code_of_status(static_cast<int>(int_at(status, "code").value_or(500)), string_at(status, "reason"));
      throw Error(code, string_at(status, "message")).with_context(doing_);
    }
    WatchEvent out;
    out.type = type == "ADDED"      ? WatchEvent::Type::kAdded
               : type == "MODIFIED" ? WatchEvent::Type::kModified
               : type == "DELETED"  ? WatchEvent::Type::kDeleted
                                    : WatchEvent::Type::kBookmark;
    check_object(event, doing_);
    out.object = std::move(event["object"]);
    check_object(out.object, doing_);
    return out;
  }

  http::ResponseStreamPtr stream_;
  std::string doing_;
  std::string buffer_;
  std::size_t searched_ = 0;
};

class RestClient final : public Client {
 public:
  RestClient(http::Client http, std::string url, std::shared_ptr<Credentials> credentials, Duration request_limit)
      : http_(std::move(http)),
        url_(std::move(url)),
        credentials_(std::move(credentials)),
        request_limit_(request_limit) {}

  Task<std::optional<Json>> get(ResourceType type, ObjectKey key) override {
    const auto doing = fmt::format("get {} {} at {}", type.group_resource(), key.str(), url_);
    const auto response = co_await send("GET", path_of(type, key.ns, key.name, ""), {}, "", "", doing);
    if (response.status == 404 && is_kubernetes(response)) co_return std::nullopt;
    co_return parsed(response, doing);
  }

  Task<ListPage> list(ResourceType type, std::string ns, ListOptions options) override {
    http::Query query;
    add(query, "labelSelector", options.label_selector);
    add(query, "fieldSelector", options.field_selector);
    add(query, "continue", options.continue_token);
    if (options.limit > 0) query.emplace_back("limit", std::to_string(options.limit));
    if (options.continue_token.empty()) add(query, "resourceVersion", options.resource_version);
    const auto doing = fmt::format("list {}{}{} at {}", type.group_resource(), ns.empty() ? "" : " in ", ns, url_);
    auto body = parsed(co_await send("GET", path_of(type, ns, "", ""), query, "", "", doing), doing);
    ListPage page;
    page.continue_token = string_at(body, "metadata.continue");
    page.resource_version = string_at(body, "metadata.resourceVersion");
    const auto items = body.find("items");
    if (items == body.end() || !items->is_array()) co_return page;
    page.items.reserve(items->size());
    for (auto& item : *items) {
      check_object(item, doing);
      name_type(item, type);
      page.items.push_back(std::move(item));
    }
    co_return page;
  }

  Task<Json> create(ResourceType type, Json object, WriteOptions options) override {
    const auto key = key_of(object);
    const auto shown = key.name.empty() ? string_at(object, "metadata.generateName") + "…" : key.name;
    const auto doing = fmt::format("create {} {} at {}", type.group_resource(), ObjectKey{key.ns, shown}.str(), url_);
    co_return parsed(
        co_await send("POST", path_of(type, key.ns, "", ""), write_query(options), dump(object), kJsonType, doing),
        doing);
  }

  Task<Json> update(ResourceType type, Json object, WriteOptions options) override {
    const auto key = key_of(object);
    const auto doing = fmt::format("update {} {} at {}", type.group_resource(), key.str(), url_);
    co_return parsed(co_await send("PUT", path_of(type, key.ns, key.name, options.subresource), write_query(options),
                                   dump(object), kJsonType, doing),
                     doing);
  }

  Task<Json> patch(ResourceType type, ObjectKey key, PatchKind kind, Json patch, WriteOptions options) override {
    auto query = write_query(options);
    if (options.force) query.emplace_back("force", "true");
    const auto doing = fmt::format("patch {} {} at {}", type.group_resource(), key.str(), url_);
    co_return parsed(co_await send("PATCH", path_of(type, key.ns, key.name, options.subresource), query, dump(patch),
                                   content_type_of(kind), doing),
                     doing);
  }

  Task<bool> remove(ResourceType type, ObjectKey key, DeleteOptions options) override {
    const auto doing = fmt::format("delete {} {} at {}", type.group_resource(), key.str(), url_);
    const auto response =
        co_await send("DELETE", path_of(type, key.ns, key.name, ""), {}, dump(delete_body(options)), kJsonType, doing);
    if (response.status == 404 && is_kubernetes(response)) co_return false;
    parsed(response, doing);
    co_return true;
  }

  Task<void> remove_collection(ResourceType type, std::string ns, ListOptions what, DeleteOptions options) override {
    http::Query query;
    add(query, "labelSelector", what.label_selector);
    add(query, "fieldSelector", what.field_selector);
    const auto doing = fmt::format("delete all {} in {} at {}", type.group_resource(), ns, url_);
    parsed(co_await send("DELETE", path_of(type, ns, "", ""), query, dump(delete_body(options)), kJsonType, doing),
           doing);
  }

  Task<std::unique_ptr<Watch>> watch(ResourceType type, std::string ns, WatchOptions options) override {
    http::Query query = {{"watch", "true"}, {"allowWatchBookmarks", "true"}};
    add(query, "resourceVersion", options.resource_version);
    add(query, "labelSelector", options.label_selector);
    add(query, "fieldSelector", options.field_selector);
    const auto doing = fmt::format("watch {}{}{} at {}", type.group_resource(), ns.empty() ? "" : " in ", ns, url_);
    auto stream = co_await http_.open(co_await request("GET", path_of(type, ns, "", ""), query, "", ""));
    if (stream->head().status != 200) {
      const http::Response refusal{stream->head().status, "", stream->head().headers,
                                   co_await beginning_of(*stream, kMaxRefusal)};
      throw error_of(refusal, doing);
    }
    co_return std::make_unique<HttpWatch>(std::move(stream), doing);
  }

  Task<std::optional<std::string>> log(ObjectKey pod, LogOptions options) override {
    http::Query query = {{"tailLines", std::to_string(options.tail_lines)},
                         {"limitBytes", std::to_string(options.limit_bytes)}};
    add(query, "container", options.container);
    const auto doing = fmt::format("read the log of pod {} at {}", pod.str(), url_);
    co_return co_await async::with_timeout(
        request_limit_, doing,
        read_log(path_of(types::pods(), pod.ns, pod.name, "log"), query, options.limit_bytes, doing));
  }

  Task<net::StreamPtr> port_forward(ObjectKey pod, std::uint16_t port) override {
    const auto doing = fmt::format("connect to port {} of pod {} at {}", port, pod.str(), url_);
    const auto path = path_of(types::pods(), pod.ns, pod.name, "portforward");
    auto socket = co_await async::with_timeout(request_limit_, doing,
                                               open_forward(path, {{"ports", std::to_string(port)}}, doing));
    co_return forwarded_stream(std::move(socket), port, doing);
  }

  Task<std::shared_ptr<const Discovery>> discovery(Refresh refresh) override {
    if (refresh == Refresh::kYes || !discovery_) {
      discovery_ = co_await discover(
          [this](std::string path, std::string accept) { return document(std::move(path), std::move(accept)); });
    }
    co_return discovery_;
  }

  Task<ServerVersion> version() override {
    const auto doing = "ask for the version of " + url_;
    const auto body = parsed(co_await send("GET", "/version", {}, "", "", doing), doing);
    ServerVersion version;
    version.git_version = string_at(body, "gitVersion");
    const auto number = [&](const char* field) {
      const auto text = string_at(body, field);
      return text.empty() ? 0 : std::atoi(text.c_str());  // "34+" reads as 34
    };
    version.major = number("major");
    version.minor = number("minor");
    if (version.git_version.empty() || version.major == 0) {
      throw Error(Code::kUnsupported, fmt::format("{} answers /version, but is no Kubernetes API server", url_));
    }
    co_return version;
  }

  Task<Json> raw(std::string method, std::string target, std::optional<Json> body) override {
    const auto doing = fmt::format("{} {}{}", method, url_, target);
    co_return parsed(co_await send(method, target, {}, body ? dump(*body) : "", body ? kJsonType : "", doing), doing);
  }

  const std::string& url() const override { return url_; }

 private:
  static constexpr auto kJsonType = "application/json";

  Task<http::Request> request(std::string method, std::string path, http::Query query, std::string body,
                              std::string content_type, std::string accept = kJsonType) {
    http::Request out;
    out.method = std::move(method);
    out.target = std::move(path);
    if (!query.empty()) out.target += "?" + http::encode_query(query);
    out.headers.set("Accept", std::move(accept));
    if (!content_type.empty()) out.headers.set("Content-Type", std::move(content_type));
    const auto authorization = co_await credentials_->authorization();
    if (!authorization.empty()) out.headers.set("Authorization", authorization);
    out.body = std::move(body);
    co_return out;
  }

  Task<http::Response> send(std::string method, std::string path, http::Query query, std::string body,
                            std::string content_type, std::string doing, std::string accept = kJsonType) {
    for (bool again = true;; again = false) {
      auto outgoing = co_await request(method, path, query, body, content_type, accept);
      http::Response response;
      std::optional<Error> failure;
      try {
        response = co_await async::with_timeout(request_limit_, doing, http_.send(std::move(outgoing)));
      } catch (const Error& error) {
        failure = error;
      }
      if (failure) throw failure->code() == Code::kTimeout ? *failure : failure->with_context(doing);
      if (response.status != 401 || !again || !credentials_->refused()) co_return response;
    }
  }

  /// What a stream begins with, at most `limit` bytes of it.
  Task<std::string> beginning_of(http::ResponseStream& stream, std::size_t limit) {
    std::string out;
    for (auto piece = co_await stream.read(request_limit_); !piece.empty() && out.size() < limit;
         piece = co_await stream.read(request_limit_)) {
      out += piece;
    }
    if (out.size() > limit) out.resize(limit);
    co_return out;
  }

  /// The server is asked to keep to the limit, and not trusted to.
  Task<std::optional<std::string>> read_log(std::string path, http::Query query, std::size_t limit, std::string doing) {
    for (bool again = true;; again = false) {
      const auto stream = co_await http_.open(co_await request("GET", path, query, "", "", "*/*"));
      const auto& head = stream->head();
      if (head.status == 200) co_return co_await beginning_of(*stream, limit);
      if (head.status == 401 && again && credentials_->refused()) continue;
      const http::Response refusal{head.status, "", head.headers, co_await beginning_of(*stream, kMaxRefusal)};
      if (head.status == 404 && is_kubernetes(refusal)) co_return std::nullopt;
      // So an API server says that there is no container yet.
      const auto says = [&](const char* words) { return head.status == 400 && refusal.body.contains(words); };
      if (says("is waiting to start") || says("does not have a host assigned")) co_return "";
      throw error_of(refusal, doing);
    }
  }

  Task<http::WebSocketPtr> open_forward(std::string path, http::Query query, std::string doing) {
    for (bool again = true;; again = false) {
      std::optional<Error> failure;
      auto outgoing = co_await request("GET", path, query, "", "", "*/*");
      try {
        co_return co_await http::open_websocket(http_, std::move(outgoing), {kPortForwardProtocol}, &system_rng());
      } catch (const Error& error) {
        failure = error;
      }
      if (failure->http_status() != 401 || !again || !credentials_->refused()) throw failure->with_context(doing);
    }
  }

  /// A 404 with a Status is an absent object; any other 404 is a server that is no Kubernetes.
  static bool is_kubernetes(const http::Response& response) {
    return response.body.contains("\"Status\"") || response.body.contains("404 page not found");
  }

  static Json parsed(const http::Response& response, const std::string& doing) {
    if (response.status < 200 || response.status > 299) throw error_of(response, doing);
    try {
      auto body = parse_json(response.body, {.max_bytes = 256 * 1024 * 1024});
      check_object(body, "its answer");
      return body;
    } catch (Error& error) {
      throw error.with_context(doing + ": no Kubernetes API there");
    }
  }

  Task<std::optional<Json>> document(std::string path, std::string accept) {
    const auto doing = fmt::format("discover {}{}", url_, path);
    const auto response = co_await send("GET", path, {}, "", "", doing, std::move(accept));
    if (response.status == 404 || response.status == 406) co_return std::nullopt;
    co_return parsed(response, doing);
  }

  http::Client http_;
  std::string url_;
  std::shared_ptr<Credentials> credentials_;
  Duration request_limit_;
  std::shared_ptr<const Discovery> discovery_;
};

}  // namespace

ClientPtr make_rest_client(http::Client http, std::string url, std::shared_ptr<Credentials> credentials,
                           Duration request_limit) {
  return std::make_shared<RestClient>(std::move(http), std::move(url), std::move(credentials), request_limit);
}

}  // namespace mtc::kube
