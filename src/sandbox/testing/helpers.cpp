#include "sandbox/testing/helpers.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "http/client.hpp"
#include "net/tls.hpp"

namespace mtc::sandbox::testing {

Json config_map(const Server& s, const std::string& name, Json data) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"namespace", s.ns}, {"name", name}}},
          {"data", std::move(data)}};
}

Json labelled(Json object, const std::string& key, const std::string& value) {
  object["metadata"]["labels"][key] = value;
  return object;
}

Json named(const Server& s, const std::string& name, const char* yaml) {
  auto out = parse_yaml_one(yaml);
  out["metadata"]["namespace"] = s.ns;
  out["metadata"]["name"] = name;
  return out;
}

Json deployment(const Server& s, const std::string& name, int replicas) {
  auto out = named(s, name,
                   "{apiVersion: apps/v1, kind: Deployment, spec: {selector: {matchLabels: {app: x}}, template: "
                   "{metadata: {labels: {app: x}}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: a, "
                   "image: 'lab.mtc/pause:1', env: [{name: ONE, value: '1'}]}]}}}}");
  out["spec"]["replicas"] = replicas;
  return out;
}

Task<Json> make_map(Server s, std::string name, Json data) {
  co_return co_await s.client->create(types::config_maps(), config_map(s, name, std::move(data)));
}

Task<Json> read_map(Server s, std::string name) {
  co_return co_await kube::must_get(*s.client, types::config_maps(), {s.ns, name});
}

Task<Json> patch_map(Server s, std::string name, PatchKind kind, std::string patch, kube::WriteOptions options) {
  co_return co_await s.client->patch(types::config_maps(), {s.ns, name}, kind, parse_yaml_one(patch), options);
}

std::vector<std::string> names_of(const std::vector<Json>& objects) {
  std::vector<std::string> out;
  for (const auto& object : objects) {
    if (const auto name = kube::key_of(object).name; name != "kube-root-ca.crt") out.push_back(name);
  }
  return out;
}

Task<void> until(Server s, kube::ResourceType type, std::string name,
                 std::function<bool(const std::optional<Json>&)> done) {
  const kube::ObjectKey key{type.namespaced ? s.ns : "", name};
  if (!co_await kube::wait_until(s.client, type, key, kPatience, std::move(done)))
    throw Error(Code::kTimeout, type.kind + " " + name + " did not become what it should");
}

std::string path_of(const Server& s, const kube::ResourceType& type) {
  return (type.group.empty() ? "/api/" + type.version : "/apis/" + type.api_version()) + "/namespaces/" + s.ns + "/" +
         type.plural;
}

http::Client http_client(const kube::Connection& connection) {
  http::ClientOptions options;
  options.origin = http::Url::parse(connection.url);
  net::TlsClientOptions tls;
  tls.ca_pem = connection.ca_pem;
  if (!connection.client_cert_pem.empty()) {
    tls.cert_pem = connection.client_cert_pem;
    tls.key_pem = connection.client_key_pem;
  }
  options.tls = std::make_shared<net::TlsClient>(std::move(tls));
  return http::Client(std::move(options));
}

Task<http::Response> send(Server s, std::string method, std::string target, http::Headers headers, std::string body,
                          std::string token) {
  auto connection = s.connection;
  if (!token.empty()) {
    connection.client_cert_pem.clear();
    headers.set("Authorization", "Bearer " + token);
  }
  auto client = http_client(connection);
  http::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = std::move(headers);
  if (!body.empty() && !request.headers.has("Content-Type")) request.headers.set("Content-Type", "application/json");
  request.body = std::move(body);
  co_return co_await client.send(std::move(request));
}

std::vector<Json> lines_of(const http::Response& response) {
  std::vector<Json> out;
  for (const auto& line : split(response.body, '\n')) {
    if (!line.empty()) out.push_back(parse_json(line));
  }
  return out;
}

Task<std::vector<WatchEvent>> events(Server s, kube::WatchOptions options, std::size_t count, kube::ResourceType type) {
  const auto watch = co_await s.client->watch(type, s.ns, options);
  std::vector<WatchEvent> out;
  while (out.size() < count) {
    auto event = co_await async::with_timeout(kPatience, "next event", watch->next());
    if (!event) throw Error(Code::kInternal, "the watch ended");
    if (event->type != WatchEvent::Type::kBookmark && kube::key_of(event->object).name != "kube-root-ca.crt")
      out.push_back(std::move(*event));
  }
  co_return out;
}

Task<std::string> list_version(Server s, kube::ResourceType type) {
  co_return (co_await s.client->list(type, s.ns, {})).resource_version;
}

kube::ResourceType widget_type(const std::string& ns) { return {ns + ".example.com", "v1", "widgets", "Widget"}; }

Task<kube::ResourceType> define(Server s, std::string spec_schema, std::string more) {
  auto version = parse_yaml_one("{name: v1, served: true, storage: true}");
  version.update(parse_yaml_one(more));
  version["schema"]["openAPIV3Schema"] = {
      {"type", "object"},
      {"properties",
       {{"spec", parse_yaml_one(spec_schema)},
        {"status", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}};
  co_return co_await define_versions(s, Json::array({version}));
}

Task<kube::ResourceType> define_versions(Server s, Json versions, std::string scope) {
  auto type = widget_type(s.ns);
  type.namespaced = scope == "Namespaced";
  const auto name = "widgets." + type.group;
  Json definition = {{"apiVersion", "apiextensions.k8s.io/v1"},
                     {"kind", "CustomResourceDefinition"},
                     {"metadata", {{"name", name}}},
                     {"spec",
                      {{"group", type.group},
                       {"scope", scope},
                       {"names", parse_yaml_one("{kind: Widget, listKind: WidgetList, plural: widgets, singular: "
                                                "widget, shortNames: [wd], categories: [gadgets]}")},
                       {"versions", std::move(versions)}}}};
  co_await s.client->create(types::custom_resource_definitions(), definition);
  co_await until(s, types::custom_resource_definitions(), name, [](const std::optional<Json>& object) {
    return object && std::ranges::any_of(array_at(*object, "status.conditions"), [](const Json& condition) {
             return string_at(condition, "type") == "Established" && string_at(condition, "status") == "True";
           });
  });
  // Established is said a moment before the kind is served, and nothing tells when.
  for (int i = 0; i < 200 && co_await code_of(s.client->list(type, type.namespaced ? s.ns : "", {})); ++i)
    co_await async::sleep_for(std::chrono::milliseconds(50));
  co_return type;
}

Json widget(const Server& s, const std::string& name, const std::string& spec) {
  return {{"apiVersion", widget_type(s.ns).api_version()},
          {"kind", "Widget"},
          {"metadata", {{"namespace", s.ns}, {"name", name}}},
          {"spec", parse_yaml_one(spec)}};
}

Task<Json> make_widget(Server s, std::string name, std::string spec) {
  co_return co_await s.client->create(widget_type(s.ns), widget(s, name, spec));
}

Task<std::string> account_token(Server s, std::string account) {
  co_await s.client->create(types::service_accounts(), {{"metadata", {{"namespace", s.ns}, {"name", account}}}});
  const auto answer = co_await s.client->raw(
      "POST", path_of(s, types::service_accounts()) + "/" + account + "/token",
      parse_yaml_one("{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: {expirationSeconds: 3600}}"));
  co_return string_at(answer, "status.token");
}

kube::ClientPtr client_of(const Server& s, const std::string& token) {
  auto connection = s.connection;
  connection.token = Secret(token);
  connection.client_cert_pem.clear();
  connection.client_key_pem = Secret();
  return kube::make_client(connection);
}

Task<void> grant(Server s, std::string account, std::string rules) {
  co_await s.client->create(types::roles(),
                            {{"metadata", {{"namespace", s.ns}, {"name", account}}}, {"rules", parse_yaml_one(rules)}});
  auto binding = named(s, account,
                       "{roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role}, subjects: [{kind: "
                       "ServiceAccount}]}");
  binding["roleRef"]["name"] = account;
  binding["subjects"][0].update({{"name", account}, {"namespace", s.ns}});
  co_await s.client->create(types::role_bindings(), binding);
}

}  // namespace mtc::sandbox::testing
