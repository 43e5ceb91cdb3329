#include "oci/testing/registry_contract.hpp"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "net/tls.hpp"
#include "oci/testing/docker_registry.hpp"
#include "oci/testing/double_server.hpp"
#include "oci/testing/token_server.hpp"

namespace mtc::oci::testing {
namespace {

using Use = RegistryUnderTest::Use;

Credential user() { return {.username = "user", .password = Secret("secret")}; }

/// `use`, with options that name the user.
Use as_user(Use use) {
  return [use](RegistryOptions options) {
    options.credentials = {user()};
    return use(std::move(options));
  };
}

RegistryUnderTest the_double() {
  return {"Double", [](Use use) -> Task<void> {
            RegistryDouble registry;
            co_await with_double(&registry, std::move(use));
          }};
}

RegistryUnderTest double_with_basic() {
  return {"DoubleWithBasic", [](Use use) -> Task<void> {
            RegistryDouble registry;
            registry.basic = "user:secret";
            co_await with_double(&registry, as_user(std::move(use)));
          }};
}

RegistryUnderTest double_with_tokens() {
  return {"DoubleWithTokens", [](Use use) -> Task<void> {
            TokenServer tokens;
            RegistryDouble registry;
            co_await with_tokens(&registry, &tokens, as_user(std::move(use)));
          }};
}

Task<void> run(DockerRegistry registry, Use use) {
  co_await registry.run([use](std::string host) { return use(options_of(host)); });
}

RegistryUnderTest real(std::string name, std::function<Task<void>(Use)> with_registry) {
  RegistryUnderTest out{std::move(name), std::move(with_registry)};
  if (!DockerRegistry::installed()) out.skipped = "docker-registry is not installed (tools/setup)";
  return out;
}

RegistryUnderTest docker_registry() {
  return real("DockerRegistry", [](Use use) { return run({}, std::move(use)); });
}

RegistryUnderTest docker_registry_with_basic_over_tls() {
  return real("DockerRegistryWithBasicOverTls", [](Use use) {
    const auto now = system_clock().now();
    const auto ca = net::make_ca("CA of the registry", now);
    const auto certificate = net::issue_certificate(ca, "registry", {"127.0.0.1"}, {}, now);
    DockerRegistry registry;
    registry.auth = "{htpasswd: {realm: test, path: FOLDER/htpasswd}}";
    registry.htpasswd = "user:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";  // bcrypt of "secret"
    registry.cert_pem = certificate.cert_pem;
    registry.key_pem = certificate.key_pem.reveal();
    return run(std::move(registry), as_user([use, pem = ca.cert_pem](RegistryOptions options) {
                 options.host = options.host.substr(std::string("http://").size());
                 options.ca_pem = pem;
                 return use(std::move(options));
               }));
  });
}

RegistryUnderTest docker_registry_with_tokens() {
  return real("DockerRegistryWithTokens", [](Use use) -> Task<void> {
    TokenServer tokens;
    co_await with_token_server(&tokens, [use, ca = tokens.ca_pem()](std::string realm) {
      DockerRegistry registry;
      registry.auth =
          fmt::format("{{token: {{realm: \"{}\", service: {}, issuer: {}, rootcertbundle: FOLDER/token-ca.pem}}}}",
                      realm, TokenServer::kService, TokenServer::kIssuer);
      registry.token_ca_pem = ca;
      return run(std::move(registry), as_user(use));
    });
  });
}

INSTANTIATE_TEST_SUITE_P(All, RegistryContract,
                         ::testing::Values(the_double(), double_with_basic(), double_with_tokens(), docker_registry(),
                                           docker_registry_with_basic_over_tls(), docker_registry_with_tokens()),
                         RegistryContract::name_of);

}  // namespace
}  // namespace mtc::oci::testing
