#include "oci/testing/double_server.hpp"

#include "http/testing/test_server.hpp"

namespace mtc::oci::testing {

RegistryOptions options_of(const std::string& authority) {
  RegistryOptions options;
  options.host = "http://" + authority;
  options.access = Access::kPush;
  options.connector = net::tcp_connector();
  options.backoff = {.base = std::chrono::milliseconds(1), .cap = std::chrono::milliseconds(10), .max_attempts = 4};
  return options;
}

Task<void> with_double(RegistryDouble* registry, std::function<Task<void>(RegistryOptions options)> use) {
  auto handler = [registry](http::ServerRequest& request, http::ResponseWriter& writer) {
    return registry->handle(request, writer);
  };
  co_await http::testing::with_server(handler, [use](http::Url url) { return use(options_of(url.authority())); });
}

Task<void> with_token_server(TokenServer* tokens, std::function<Task<void>(std::string realm)> use) {
  auto handler = [tokens](http::ServerRequest& request, http::ResponseWriter& writer) {
    return tokens->handle(request, writer);
  };
  co_await http::testing::with_server(handler, [use](http::Url url) { return use(url.str() + "/token"); });
}

Task<void> with_tokens(RegistryDouble* registry, TokenServer* tokens,
                       std::function<Task<void>(RegistryOptions options)> use) {
  registry->tokens = tokens;
  co_await with_token_server(tokens, [registry, use](std::string realm) {
    registry->realm = std::move(realm);
    return with_double(registry, use);
  });
}

}  // namespace mtc::oci::testing
