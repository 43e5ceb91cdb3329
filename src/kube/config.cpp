#include "kube/config.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "http/client.hpp"
#include "json/json.hpp"
#include "json/yaml.hpp"
#include "kube/rest_client.hpp"

namespace mtc::kube {
namespace {

namespace fs = std::filesystem;
constexpr auto kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// File references become absolute, so that merged files keep meaning their own folders.
void anchor_paths(Json& config, const fs::path& folder) {
  const auto anchor = [&](Json& entry, const char* field) {
    const auto path = string_at(entry, field);
    if (!path.empty() && !fs::path(path).is_absolute()) entry[field] = (folder / path).lexically_normal().string();
  };
  const auto has = [](const Json& entry, const char* part) { return !object_at(entry, part).empty(); };
  for (auto& entry : config["clusters"]) {
    if (has(entry, "cluster")) anchor(entry["cluster"], "certificate-authority");
  }
  for (auto& entry : config["users"]) {
    if (!has(entry, "user")) continue;
    for (const auto* field : {"client-certificate", "client-key", "tokenFile"}) anchor(entry["user"], field);
    const auto command = string_at(entry, "user.exec.command");
    if (command.contains('/') && !fs::path(command).is_absolute())
      entry["user"]["exec"]["command"] = (folder / command).string();
  }
}

/// Lists of {name, …}: the first file that names an entry wins, as in kubectl.
void merge_into(Json& merged, const Json& config) {
  for (const auto* list : {"clusters", "users", "contexts"}) {
    for (const auto& entry : array_at(config, list)) {
      const auto name = string_at(entry, "name");
      const auto& have = merged[list];
      const bool known =
          std::any_of(have.begin(), have.end(), [&](const Json& other) { return string_at(other, "name") == name; });
      if (!known) merged[list].push_back(entry);
    }
  }
  if (string_at(merged, "current-context").empty()) merged["current-context"] = string_at(config, "current-context");
}

Json empty_config() {
  return {{"clusters", Json::array()}, {"users", Json::array()}, {"contexts", Json::array()}, {"current-context", ""}};
}

const Json* find_named(const Json& list, std::string_view name) {
  for (const auto& entry : list) {
    if (string_at(entry, "name") == name) return &entry;
  }
  return nullptr;
}

/// "x-data" in base64, or the content of the file "x".
std::string data_or_file(const Json& entry, const std::string& field, const std::string& whose) {
  if (const auto data = string_at(entry, field + "-data"); !data.empty()) {
    auto bytes = base64_decode(data);
    if (!bytes) throw Error(Code::kInvalid, fmt::format("kubeconfig: {}-data of {} is not base64", field, whose));
    return *bytes;
  }
  const auto path = string_at(entry, field);
  if (path.empty()) return "";
  auto text = read_file(path);
  if (!text) throw Error(Code::kInvalid, fmt::format("kubeconfig: {} of {} cannot be read: {}", field, whose, path));
  return *text;
}

Connection::Exec exec_of(const Json& exec) {
  Connection::Exec out;
  out.api_version = string_at(exec, "apiVersion");
  out.command = string_at(exec, "command");
  out.install_hint = string_at(exec, "installHint");
  out.args = strings_at(exec, "args");
  for (const auto& variable : array_at(exec, "env"))
    out.env.emplace_back(string_at(variable, "name"), string_at(variable, "value"));
  out.provide_cluster_info = bool_at(exec, "provideClusterInfo");
  return out;
}

void read_user(const Json& user, const std::string& whose, Connection& out) {
  out.token = Secret(string_at(user, "token"));
  out.token_file = string_at(user, "tokenFile");
  out.client_cert_pem = data_or_file(user, "client-certificate", whose);
  out.client_key_pem = Secret(data_or_file(user, "client-key", whose));
  out.username = string_at(user, "username");
  out.password = Secret(string_at(user, "password"));
  if (const auto* exec = find(user, "exec"); exec != nullptr && exec->is_object()) out.exec = exec_of(*exec);
  if (find(user, "auth-provider") != nullptr) {
    throw Error(
        Code::kUnsupported,
        fmt::format("kubeconfig: user {} uses an auth-provider, which Kubernetes removed in 1.26; use an exec plugin",
                    whose));
  }
}

}  // namespace

Kubeconfig Kubeconfig::parse(std::string_view text, std::string_view folder) {
  auto config = parse_yaml_one(text);
  if (!config.is_object()) throw Error(Code::kInvalid, "kubeconfig: not a mapping");
  for (const auto* list : {"clusters", "users", "contexts"}) {
    if (!array_at(config, list).is_array() || !config.contains(list) || !config[list].is_array())
      config[list] = Json::array();
  }
  anchor_paths(config, fs::path(folder));
  auto merged = empty_config();
  merge_into(merged, config);
  Kubeconfig out;
  out.current_ = string_at(merged, "current-context");
  out.merged_ = std::make_shared<const Json>(std::move(merged));
  return out;
}

Kubeconfig Kubeconfig::load(const std::string& path) {
  const auto text = read_file(path);
  if (!text) throw Error(Code::kNotFound, fmt::format("kubeconfig {} cannot be read", path));
  try {
    return parse(*text, fs::absolute(path).parent_path().string());
  } catch (Error& error) {
    throw error.with_context("kubeconfig " + path);
  }
}

Kubeconfig Kubeconfig::load_default() {
  const char* list = std::getenv("KUBECONFIG");
  const char* home = std::getenv("HOME");
  if (list == nullptr || *list == '\0') return load(std::string(home == nullptr ? "" : home) + "/.kube/config");
  auto merged = empty_config();
  bool any = false;
  for (const auto& path : split(list, ':')) {
    if (path.empty() || !fs::exists(path)) continue;
    merge_into(merged, *load(path).merged_);
    any = true;
  }
  if (!any) throw Error(Code::kNotFound, fmt::format("no file of KUBECONFIG={} exists", list));
  Kubeconfig out;
  out.current_ = string_at(merged, "current-context");
  out.merged_ = std::make_shared<const Json>(std::move(merged));
  return out;
}

std::vector<ContextName> Kubeconfig::contexts() const {
  std::vector<ContextName> out;
  for (const auto& entry : array_at(*merged_, "contexts")) {
    out.push_back({string_at(entry, "name"), string_at(entry, "context.cluster"), string_at(entry, "context.user"),
                   string_at(entry, "context.namespace")});
  }
  return out;
}

Connection Kubeconfig::connection(std::string_view context) const {
  const auto name = context.empty() ? current_ : std::string(context);
  const auto* entry = find_named(array_at(*merged_, "contexts"), name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const auto& known : contexts()) names.push_back(known.context);
    throw Error(Code::kNotFound, fmt::format("kubeconfig has no context \"{}\"; it has: {}", name,
                                             names.empty() ? "none" : join(names, ", ")));
  }
  const auto cluster_name = string_at(*entry, "context.cluster");
  const auto user_name = string_at(*entry, "context.user");
  const auto* cluster = find_named(array_at(*merged_, "clusters"), cluster_name);
  if (cluster == nullptr)
    throw Error(Code::kInvalid,
                fmt::format("kubeconfig: context {} names cluster {}, which is not there", name, cluster_name));
  const auto& details = object_at(*cluster, "cluster");
  Connection out;
  out.url = string_at(details, "server");
  out.ca_pem = data_or_file(details, "certificate-authority", "cluster " + cluster_name);
  out.insecure = bool_at(details, "insecure-skip-tls-verify");
  out.tls_server_name = string_at(details, "tls-server-name");
  out.proxy_url = string_at(details, "proxy-url");
  if (const auto ns = string_at(*entry, "context.namespace"); !ns.empty()) out.default_namespace = ns;
  if (const auto* user = find_named(array_at(*merged_, "users"), user_name)) {
    read_user(object_at(*user, "user"), "user " + user_name, out);
  } else if (!user_name.empty()) {
    throw Error(Code::kInvalid,
                fmt::format("kubeconfig: context {} names user {}, which is not there", name, user_name));
  }
  return out;
}

std::optional<Connection> in_cluster() {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  const auto ca = read_file(std::string(kServiceAccount) + "ca.crt");
  if (host == nullptr || port == nullptr || !ca) return std::nullopt;
  Connection out;
  const std::string name = host;
  out.url = name.contains(':') ? fmt::format("https://[{}]:{}", name, port) : fmt::format("https://{}:{}", name, port);
  out.ca_pem = *ca;
  out.token_file = std::string(kServiceAccount) + "token";
  if (const auto ns = read_file(std::string(kServiceAccount) + "namespace")) out.default_namespace = *ns;
  return out;
}

ClientPtr make_client(Connection connection, ClientOptions options) {
  http::ClientOptions http;
  http.origin = http::Url::parse(connection.url);
  while (http.origin.path.ends_with('/')) http.origin.path.pop_back();
  if (http.origin.scheme == "https") {
    net::TlsClientOptions tls;
    tls.verify = connection.insecure ? net::Verify::kNo : net::Verify::kYes;
    tls.ca_pem = connection.ca_pem;
    tls.cert_pem = connection.client_cert_pem;
    tls.key_pem = connection.client_key_pem;
    tls.server_name = connection.tls_server_name;
    http.tls = std::make_shared<net::TlsClient>(std::move(tls));
  }
  auto proxy = net::proxy_from_environment();
  if (!connection.proxy_url.empty()) proxy = {connection.proxy_url, ""};
  http.connector = options.connector ? options.connector : net::proxy_connector(proxy, net::tcp_connector());
  http.max_connections = 256;  // watches hold one each; requests are bounded by concurrent_requests
  http.response_limit = options.request_limit;
  const auto& clock = options.clock != nullptr ? *options.clock : system_clock();
  auto& rng = options.rng != nullptr ? *options.rng : system_rng();
  auto plain = make_rest_client(http::Client(std::move(http)), connection.url, make_credentials(connection, clock),
                                options.request_limit);
  return make_careful_client(std::move(plain), options, rng);
}

}  // namespace mtc::kube
