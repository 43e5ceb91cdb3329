#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "http/server.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

struct User {
  std::string name;
  std::vector<std::string> groups;
};

/// Who asks: a client certificate of the cluster's CA, or a bearer token of a Secret of type
/// kubernetes.io/service-account-token or of a TokenRequest. Throws Failure 401 for a token that is none of the
/// cluster's; no credentials at all is system:anonymous. Whoever may impersonate is whom his Impersonate-User and
/// Impersonate-Group headers name; Failure 403 for others who try.
User authenticate(const http::ServerRequest& request, const Storage& storage, Time now);
/// Whose token it is; nullopt if it is none of the cluster's, has expired, or its service account is gone.
std::optional<User> user_of_token(std::string_view token, const Storage& storage, Time now);

/// What somebody wants: something of a resource, or a path that is none ("/metrics").
struct AccessRequest {
  std::string verb, group, resource, subresource, ns, name;
  std::string path{};
};
/// Role-based access control over the Roles and bindings in the storage; system:masters may do everything.
bool is_allowed(const User& user, const AccessRequest& what, const Storage& storage);
/// All rules (rbac/v1 PolicyRule) that hold for somebody, cluster-wide and in a namespace.
std::vector<Json> rules_of(const User& user, const std::string& ns, const Storage& storage);

/// A token for a service account: opaque to clients, checked by looking it up. `expires` nullopt = never.
std::string issue_token(Storage& storage, const std::string& ns, const std::string& account,
                        std::optional<Time> expires, Time now, Rng& rng);

}  // namespace mtc::sandbox
