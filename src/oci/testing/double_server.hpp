#pragma once

#include <functional>
#include <string>

#include "oci/registry.hpp"
#include "oci/testing/registry_double.hpp"

namespace mtc::oci::testing {

/// Options of somebody who may push to the plain registry at `authority`, with short waits.
RegistryOptions options_of(const std::string& authority);
/// Serves the double while `use` runs with options for it; rethrows what that threw.
Task<void> with_double(RegistryDouble* registry, std::function<Task<void>(RegistryOptions options)> use);
/// Serves a token server, and the double, which asks for its tokens.
Task<void> with_tokens(RegistryDouble* registry, TokenServer* tokens,
                       std::function<Task<void>(RegistryOptions options)> use);
/// Serves the token server while `use` runs with its realm.
Task<void> with_token_server(TokenServer* tokens, std::function<Task<void>(std::string realm)> use);

}  // namespace mtc::oci::testing
