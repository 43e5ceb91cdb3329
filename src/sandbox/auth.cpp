#include "sandbox/auth.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

/// Who has a certificate or a token may ask what is served, and everybody may ask how the server is.
constexpr std::array kDiscovery = {"/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"};
constexpr std::array kPublic = {"/healthz", "/healthz/*", "/livez",   "/livez/*",
                                "/readyz",  "/readyz/*",  "/version", "/version/"};

std::string token_setting(std::string_view token) { return "token:" + hex(sha256(token)); }

bool names(const Json& list, const std::string& wanted) {
  return std::ranges::any_of(list, [&](const Json& entry) {
    return entry.is_string() && (entry == "*" || entry.get_ref<const std::string&>() == wanted);
  });
}

bool path_matches(std::string_view pattern, std::string_view path) {
  if (pattern.ends_with('*')) return path.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == path;
}

bool rule_allows(const Json& rule, const AccessRequest& what) {
  if (!names(array_at(rule, "verbs"), what.verb)) return false;
  if (!what.path.empty()) {
    return std::ranges::any_of(strings_at(rule, "nonResourceURLs"),
                               [&](const std::string& pattern) { return path_matches(pattern, what.path); });
  }
  if (!names(array_at(rule, "apiGroups"), what.group)) return false;
  const auto& resources = array_at(rule, "resources");
  const bool resource_named = what.subresource.empty() ? names(resources, what.resource)
                                                       : names(resources, what.resource + "/" + what.subresource) ||
                                                             names(resources, "*/" + what.subresource);
  if (!resource_named) return false;
  const auto only = strings_at(rule, "resourceNames");
  return only.empty() || std::ranges::find(only, what.name) != only.end();
}

bool concerns(const Json& subject, const User& user) {
  const auto kind = string_at(subject, "kind"), name = string_at(subject, "name");
  if (kind == "User") return name == user.name;
  if (kind == "Group") return std::ranges::find(user.groups, name) != user.groups.end();
  return kind == "ServiceAccount" &&
         user.name == fmt::format("system:serviceaccount:{}:{}", string_at(subject, "namespace"), name);
}

void collect_rules(const std::vector<ObjectPtr>& bindings, const User& user, const Storage& storage,
                   std::vector<Json>& out) {
  for (const auto& binding : bindings) {
    if (std::ranges::none_of(array_at(*binding, "subjects"),
                             [&](const Json& subject) { return concerns(subject, user); }))
      continue;
    const bool cluster = string_at(*binding, "roleRef.kind") == "ClusterRole";
    const auto role =
        storage.get({cluster ? "clusterroles.rbac.authorization.k8s.io" : "roles.rbac.authorization.k8s.io",
                     cluster ? "" : string_at(*binding, "metadata.namespace"), string_at(*binding, "roleRef.name")});
    if (!role) continue;
    for (const auto& rule : array_at(*role, "rules")) out.push_back(rule);
  }
}

bool is_in(const User& user, std::string_view group) {
  return std::ranges::find(user.groups, group) != user.groups.end();
}

bool is_open(const User& user, const AccessRequest& what) {
  const auto matches = [&](const char* pattern) { return path_matches(pattern, what.path); };
  if (what.path.empty() || what.verb != "get") return false;
  return std::ranges::any_of(kPublic, matches) ||
         (is_in(user, "system:authenticated") && std::ranges::any_of(kDiscovery, matches));
}

}  // namespace

std::optional<User> user_of_token(std::string_view token, const Storage& storage, Time now) {
  const auto parts = split(storage.setting(token_setting(token)), '|');  // namespace|account|expiry|uid
  if (parts.size() != 4) return std::nullopt;
  const auto expiry = parse_rfc3339(parts[2]);
  const auto account = storage.get({"serviceaccounts", parts[0], parts[1]});
  if (!account || string_at(*account, "metadata.uid") != parts[3] || (expiry && *expiry < now)) return std::nullopt;
  return User{fmt::format("system:serviceaccount:{}:{}", parts[0], parts[1]),
              {"system:serviceaccounts", "system:serviceaccounts:" + parts[0], "system:authenticated"}};
}

namespace {

User real_user(const http::ServerRequest& request, const Storage& storage, Time now) {
  if (!request.identity.common_name.empty()) {
    auto groups = request.identity.organizations;
    groups.emplace_back("system:authenticated");
    return {request.identity.common_name, groups};
  }
  const auto header = request.headers.get("Authorization");
  if (!header.starts_with("Bearer ")) return {"system:anonymous", {"system:unauthenticated"}};
  auto user = user_of_token(trim(header.substr(7)), storage, now);
  if (!user) throw Failure(401, "Unauthorized", "Unauthorized");
  return std::move(*user);
}

void check_may_impersonate(const User& user, const char* resource, const std::string& name, const Storage& storage) {
  if (is_allowed(user, {"impersonate", "", resource, "", "", name}, storage)) return;
  throw Failure(
      403, "Forbidden",
      fmt::format("{0} \"{1}\" is forbidden: User \"{2}\" cannot impersonate resource \"{0}\" in API group \"\" "
                  "at the cluster scope",
                  resource, name, user.name));
}

}  // namespace

User authenticate(const http::ServerRequest& request, const Storage& storage, Time now) {
  auto user = real_user(request, storage, now);
  const std::string name(request.headers.get("Impersonate-User"));
  if (name.empty()) return user;
  check_may_impersonate(user, "users", name, storage);
  User other{name, {}};
  for (const auto& [header, value] : request.headers.fields()) {
    if (!iequals(header, "Impersonate-Group")) continue;
    check_may_impersonate(user, "groups", value, storage);
    other.groups.push_back(value);
  }
  const auto parts = split(name, ':');
  if (name.starts_with("system:serviceaccount:") && parts.size() == 4) {
    other.groups.emplace_back("system:serviceaccounts");
    other.groups.push_back("system:serviceaccounts:" + parts[2]);
  }
  other.groups.emplace_back("system:authenticated");
  return other;
}

std::vector<Json> rules_of(const User& user, const std::string& ns, const Storage& storage) {
  std::vector<Json> out;
  collect_rules(storage.list("clusterrolebindings.rbac.authorization.k8s.io", ""), user, storage, out);
  if (!ns.empty()) collect_rules(storage.list("rolebindings.rbac.authorization.k8s.io", ns), user, storage, out);
  return out;
}

bool is_allowed(const User& user, const AccessRequest& what, const Storage& storage) {
  if (is_in(user, "system:masters") || is_open(user, what)) return true;
  return std::ranges::any_of(rules_of(user, what.ns, storage),
                             [&](const Json& rule) { return rule_allows(rule, what); });
}

std::string issue_token(Storage& storage, const std::string& ns, const std::string& account,
                        std::optional<Time> expires, Time now, Rng& rng) {
  const auto seconds = [](Time time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
  };
  const auto stored = storage.get({"serviceaccounts", ns, account});
  const auto uid = stored ? string_at(*stored, "metadata.uid") : "";
  // Looks like the JWT that clients expect, and says whose it is; what makes it valid is that it was issued here.
  Json claims = {{"iss", "https://kubernetes.default.svc"},
                 {"sub", fmt::format("system:serviceaccount:{}:{}", ns, account)},
                 {"aud", {"https://kubernetes.default.svc"}},
                 {"iat", seconds(now).count()},
                 {"kubernetes.io", {{"namespace", ns}, {"serviceaccount", {{"name", account}, {"uid", uid}}}}},
                 {"jti", uuid4(rng)}};
  if (expires) claims["exp"] = seconds(*expires).count();
  const auto token = base64url_encode(R"({"alg":"none","typ":"JWT"})") + "." + base64url_encode(dump(claims)) + "." +
                     base64url_encode(uuid4(rng) + uuid4(rng));
  storage.set_setting(token_setting(token),
                      fmt::format("{}|{}|{}|{}", ns, account, expires ? rfc3339(*expires) : "", uid));
  return token;
}

}  // namespace mtc::sandbox
