#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "http/client.hpp"
#include "http/message.hpp"
#include "json/json.hpp"
#include "json/yaml.hpp"
#include "kube/follow.hpp"
#include "sandbox/testing/conformance.hpp"

namespace mtc::sandbox::testing {

namespace types = kube::types;
using kube::PatchKind;
using kube::WatchEvent;

/// How long anything may take that a controller does.
constexpr auto kPatience = std::chrono::seconds(60);

/// The failure that a call ends with; nullopt if it ends well.
template <typename T>
Task<std::optional<Error>> failure_of(Task<T> task) {
  std::optional<Error> failure;
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    failure = error;
  }
  co_return failure;
}
template <typename T>
Task<std::optional<Code>> code_of(Task<T> task) {
  const auto failure = co_await failure_of(std::move(task));
  co_return failure ? std::optional(failure->code()) : std::nullopt;
}

/// Objects from YAML, in the case's namespace.
Json config_map(const Server& s, const std::string& name, Json data = Json::object());
Json labelled(Json object, const std::string& key, const std::string& value);
/// A Deployment of one container "a", whose pods are labelled app=x.
Json deployment(const Server& s, const std::string& name, int replicas);
Json named(const Server& s, const std::string& name, const char* yaml);

Task<Json> make_map(Server s, std::string name, Json data = Json::object());
/// Throws Error(kNotFound) if it is absent.
Task<Json> read_map(Server s, std::string name);
Task<Json> patch_map(Server s, std::string name, PatchKind kind, std::string patch, kube::WriteOptions options = {});
std::vector<std::string> names_of(const std::vector<Json>& objects);
/// Waits for an object to be as `done` says; Error(kTimeout) if it never is.
Task<void> until(Server s, kube::ResourceType type, std::string name,
                 std::function<bool(const std::optional<Json>&)> done);

/// The path of a namespaced kind: "/api/v1/namespaces/x/configmaps".
std::string path_of(const Server& s, const kube::ResourceType& type);
/// A client below Kubernetes' own; it shows the connection's certificate, if that has one.
http::Client http_client(const kube::Connection& connection);
/// Any request, by its bytes. With a token it is the token's owner's.
Task<http::Response> send(Server s, std::string method, std::string target, http::Headers headers = {},
                          std::string body = "", std::string token = "");
/// The documents of a watch's lines.
std::vector<Json> lines_of(const http::Response& response);

/// Reads `count` events of config maps of the case that begin after `version`.
Task<std::vector<WatchEvent>> events(Server s, kube::WatchOptions options, std::size_t count,
                                     kube::ResourceType type = types::config_maps());
Task<std::string> list_version(Server s, kube::ResourceType type = types::config_maps());

/// The kind that a case may define, in a group of its own.
kube::ResourceType widget_type(const std::string& ns);
/// Defines widgets in v1 by a schema of their spec, and `more` fields of the version (subresources, columns), in flow
/// YAML. Returns when they are served.
Task<kube::ResourceType> define(Server s, std::string spec_schema, std::string more = "{}");
/// Defines widgets by a whole list of versions.
Task<kube::ResourceType> define_versions(Server s, Json versions, std::string scope = "Namespaced");
Json widget(const Server& s, const std::string& name, const std::string& spec);
Task<Json> make_widget(Server s, std::string name, std::string spec);

/// A token of a new service account of that name.
Task<std::string> account_token(Server s, std::string account);
kube::ClientPtr client_of(const Server& s, const std::string& token);
/// Lets an account do what `rules` (flow YAML) say in the case's namespace.
Task<void> grant(Server s, std::string account, std::string rules);

}  // namespace mtc::sandbox::testing
