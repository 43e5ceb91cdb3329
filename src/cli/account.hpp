#pragma once

#include <string>

#include "base/secret.hpp"
#include "kube/client.hpp"

namespace mtc::cli {

/// The account migration-controller on a remote cluster, allowed everything there, and its token, which does not
/// expire. What is there already stays as it is. Throws Error(kTimeout) if the cluster gives no token.
Task<Secret> make_account(kube::ClientPtr remote);

/// Removes what make_account made; false if the account was there before us and stays. The binding owns the rest, so
/// that one request ends it all: the account can do this with its own token, which is worth nothing afterwards.
Task<bool> remove_account(kube::ClientPtr remote);

}  // namespace mtc::cli
