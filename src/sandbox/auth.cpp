#include "sandbox/auth.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/hash.hpp"
#include "base/strings.hpp"
#include "json/json.hpp"
#include "sandbox/failure.hpp"

namespace mtc::sandbox {
namespace {

std::string token_setting(std::string_view token) { return "token:" + hex(sha256(token)); }

bool names(const Json& list, const std::string& wanted) {
  return std::ranges::any_of(list, [&](const Json& entry) {
    return entry.is_string() && (entry == "*" || entry.get_ref<const std::string&>() == wanted);
  });
}

bool rule_allows(const Json& rule, const AccessRequest& what) {
  if (!names(array_at(rule, "verbs"), what.verb) || !names(array_at(rule, "apiGroups"), what.group)) return false;
  const auto resource = what.subresource.empty() ? what.resource : what.resource + "/" + what.subresource;
  if (!names(array_at(rule, "resources"), resource)) return false;
  const auto& only = array_at(rule, "resourceNames");
  return only.empty() || names(only, what.name);
}

bool concerns(const Json& subject, const User& user) {
  const auto kind = string_at(subject, "kind"), name = string_at(subject, "name");
  if (kind == "User") return name == user.name;
  if (kind == "Group") return std::ranges::find(user.groups, name) != user.groups.end();
  return kind == "ServiceAccount" &&
         user.name == fmt::format("system:serviceaccount:{}:{}", string_at(subject, "namespace"), name);
}

bool role_allows(const Storage& storage, const Json& ref, const std::string& ns, const AccessRequest& what) {
  const bool cluster = string_at(ref, "kind") == "ClusterRole";
  const auto name = string_at(ref, "name");
  if (cluster && name == "cluster-admin") return true;
  const auto role = storage.get({cluster ? "clusterroles.rbac.authorization.k8s.io" : "roles.rbac.authorization.k8s.io",
                                 cluster ? "" : ns, name});
  return role &&
         std::ranges::any_of(array_at(*role, "rules"), [&](const Json& rule) { return rule_allows(rule, what); });
}

bool binding_allows(const Storage& storage, const Json& binding, const User& user, const AccessRequest& what) {
  const bool mine =
      std::ranges::any_of(array_at(binding, "subjects"), [&](const Json& subject) { return concerns(subject, user); });
  return mine && role_allows(storage, object_at(binding, "roleRef"), string_at(binding, "metadata.namespace"), what);
}

}  // namespace

User authenticate(const http::ServerRequest& request, const Storage& storage, Time now) {
  if (!request.identity.common_name.empty()) {
    auto groups = request.identity.organizations;
    groups.emplace_back("system:authenticated");
    return {request.identity.common_name, groups};
  }
  const auto header = request.headers.get("Authorization");
  if (!header.starts_with("Bearer ")) return {"system:anonymous", {"system:unauthenticated"}};
  const auto stored = storage.setting(token_setting(trim(header.substr(7))));
  const auto parts = split(stored, '|');  // namespace|account|expiry
  const auto expiry = parts.size() == 3 ? parse_rfc3339(parts[2]) : std::nullopt;
  const bool account_lives = parts.size() == 3 && storage.get({"serviceaccounts", parts[0], parts[1]});
  if (!account_lives || (expiry && *expiry < now)) throw Failure(401, "Unauthorized", "Unauthorized");
  return {fmt::format("system:serviceaccount:{}:{}", parts[0], parts[1]),
          {"system:serviceaccounts", "system:serviceaccounts:" + parts[0], "system:authenticated"}};
}

bool is_allowed(const User& user, const AccessRequest& what, const Storage& storage) {
  if (std::ranges::find(user.groups, "system:masters") != user.groups.end()) return true;
  for (const auto& binding : storage.list("clusterrolebindings.rbac.authorization.k8s.io", "")) {
    if (binding_allows(storage, binding, user, what)) return true;
  }
  if (what.ns.empty()) return false;
  for (const auto& binding : storage.list("rolebindings.rbac.authorization.k8s.io", what.ns)) {
    if (binding_allows(storage, binding, user, what)) return true;
  }
  return false;
}

std::string issue_token(Storage& storage, const std::string& ns, const std::string& account, const std::string& expires,
                        Rng& rng) {
  // Looks like the JWT that clients expect, and says whose it is; what makes it valid is that it was issued here.
  const Json claims = {{"iss", "https://kubernetes.default.svc"},
                       {"sub", fmt::format("system:serviceaccount:{}:{}", ns, account)},
                       {"jti", uuid4(rng)}};
  const auto token = base64url_encode(R"({"alg":"none","typ":"JWT"})") + "." + base64url_encode(dump(claims)) + "." +
                     base64url_encode(uuid4(rng) + uuid4(rng));
  storage.set_setting(token_setting(token), fmt::format("{}|{}|{}", ns, account, expires));
  return token;
}

}  // namespace mtc::sandbox
