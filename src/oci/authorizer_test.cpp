#include "oci/authorizer.hpp"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "net/testing/outcome.hpp"
#include "oci/testing/double_server.hpp"
#include "oci/testing/registry_contract.hpp"

// Who asks, and what is told to whom.

namespace mtc::oci::testing {
namespace {

using net::testing::failure_of;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HandClock final : public Clock {
 public:
  Time now() const override { return time; }
  Time time = *parse_rfc3339("2026-01-01T00:00:00Z");
};

Credential user(std::string password = "secret") {
  return {.username = "user", .password = Secret(std::move(password))};
}

/// A double that asks for tokens and holds shop/web:v1.
class Tokens : public ::testing::Test {
 public:
  Tokens() { registry.add_image("shop/web", "v1", {"layer"}); }

  void run(std::function<Task<void>(RegistryPtr client)> use) {
    net::testing::run(with_tokens(&registry, &tokens, [this, use](RegistryOptions options) {
      options.credentials = credentials;
      options.clock = &clock;
      return use(make_registry(std::move(options)));
    }));
  }

  static Task<void> read(RegistryPtr client) { co_await client->get_manifest("shop/web", "v1"); }

  RegistryDouble registry;
  TokenServer tokens;
  HandClock clock;
  std::vector<Credential> credentials = {user()};
};

TEST_F(Tokens, AreFetchedOnceAndUsedUntilTheyExpire) {
  run([this](RegistryPtr client) {
    auto body = [](Tokens* test, RegistryPtr c) -> Task<void> {
      for (int i = 0; i < 3; ++i) co_await read(c);
      EXPECT_EQ(test->tokens.count(), 1U);
      test->clock.time += std::chrono::seconds(269);
      co_await read(c);
      EXPECT_EQ(test->tokens.count(), 1U);
      test->clock.time += std::chrono::seconds(2);  // half a minute before its end
      co_await read(c);
      EXPECT_EQ(test->tokens.count(), 2U);
      EXPECT_EQ(test->registry.count("GET", "/manifests/"), 6U);  // one was refused: it had not been asked before
    };
    return body(this, client);
  });
}

TEST_F(Tokens, AreFetchedOnceForRequestsAtTheSameTime) {
  run([this](RegistryPtr client) {
    auto body = [](Tokens* test, RegistryPtr c) -> Task<void> {
      co_await async::parallel_for(20, 20, [=](std::size_t) { return read(c); });
      EXPECT_EQ(test->tokens.count(), 1U);
    };
    return body(this, client);
  });
}

TEST_F(Tokens, ThatAreRevokedAreFetchedAnew) {
  run([this](RegistryPtr client) {
    auto body = [](Tokens* test, RegistryPtr c) -> Task<void> {
      co_await read(c);
      co_await read(c);
      test->tokens.revoke_all();
      co_await read(c);
      EXPECT_EQ(test->tokens.count(), 2U);
    };
    return body(this, client);
  });
}

TEST_F(Tokens, ThatEndInAnUploadDoNotEndTheUpload) {
  const auto bytes = noise(1'000'000);
  auto origin = [this, bytes](std::uint64_t offset) {
    tokens.revoke_all();
    return origin_of(bytes)(offset);
  };
  run([&](RegistryPtr client) {
    auto body = [](RegistryPtr c, std::string blob, BlobOrigin from) -> Task<void> {
      co_await read(c);
      co_await c->put_blob("shop/web", blob_of(blob), from);
      EXPECT_TRUE(co_await c->head_blob("shop/web", Digest::of(blob)));
    };
    return body(client, bytes, origin);
  });
}

TEST_F(Tokens, MayBeHadForAnIdentityToken) {
  credentials = {{.username = "00000000", .identity_token = Secret("refresh")}};
  run([](RegistryPtr client) { return read(client); });
  EXPECT_EQ(tokens.count(), 1U);
}

TEST_F(Tokens, AreAskedForWithEachCredentialInTurn) {
  credentials = {user("wrong"), user("bad"), user()};
  run([](RegistryPtr client) { return read(client); });
  EXPECT_EQ(tokens.count(), 1U);
}

TEST_F(Tokens, ARegistryTokenIsSentAsItIs) {
  credentials = {{.registry_token = Secret("own-token")}};
  run([this](RegistryPtr client) {
    auto body = [](Tokens* test, RegistryPtr c) -> Task<void> {
      EXPECT_THAT(co_await failure_of(read(c)), StartsWith("Unauthorized: read manifest v1 of shop/web"));
      EXPECT_EQ(test->registry.authorizations.back(), "Bearer own-token");
    };
    return body(this, client);
  });
}

TEST_F(Tokens, WrongCredentialsAreToldWithoutThem) {
  credentials = {user("hunter2")};
  run([](RegistryPtr client) {
    auto body = [](RegistryPtr c) -> Task<void> {
      EXPECT_THAT(co_await failure_of(read(c)),
                  AllOf(StartsWith("Unauthorized: read manifest v1 of shop/web"), HasSubstr("for a token"),
                        HasSubstr("wrong password"), Not(HasSubstr("hunter2"))));
    };
    return body(client);
  });
}

TEST_F(Tokens, WhatTheyDoNotAllowIsForbidden) {
  tokens.denied = {"repository:shop/web:push"};
  run([](RegistryPtr client) {
    auto body = [](RegistryPtr c) -> Task<void> {
      co_await read(c);
      EXPECT_THAT(co_await failure_of(put(c.get(), "shop/web", "new")),
                  AllOf(StartsWith("Forbidden: begin the upload of"), HasSubstr("these credentials may not do that")));
      co_await read(c);
    };
    return body(client);
  });
}

TEST_F(Tokens, AServerThatFailsForAWhileIsAskedAgain) {
  tokens.status = 503;
  run([this](RegistryPtr client) {
    auto body = [](Tokens* test, RegistryPtr c) -> Task<void> {
      EXPECT_THAT(co_await failure_of(read(c)), StartsWith("Unavailable: read manifest v1 of shop/web"));
      test->tokens.status = 200;
      co_await read(c);
    };
    return body(this, client);
  });
}

TEST_F(Tokens, AreNotAskedForWithoutTlsUnlessTheRegistryHasNone) {
  run([this](RegistryPtr) {
    auto body = [](Tokens* test) -> Task<void> {
      Authorizer authorizer({.credentials = {user()},
                             .clock = &test->clock,
                             .plain_allowed = false,
                             .client_for = [](const http::Url& at) { return http::Client({.origin = at}); }});
      const http::Headers headers = {{"WWW-Authenticate", "Bearer realm=\"" + test->registry.realm + "\""}};
      EXPECT_TRUE(authorizer.learn(headers, "", "repository:a:pull"));
      auto ask = [](Authorizer* of) -> Task<void> { co_await of->field("repository:a:pull"); };
      EXPECT_THAT(co_await failure_of(ask(&authorizer)), AllOf(StartsWith("Unsupported: "), HasSubstr("without TLS")));
      EXPECT_EQ(test->tokens.count(), 0U);
    };
    return body(this);
  });
}

/// A double that asks for a name and a password.
void with_basic(std::vector<Credential> credentials, std::string wanted,
                Task<void> (*body)(RegistryDouble*, RegistryPtr)) {
  RegistryDouble registry;
  registry.add_image("shop/web", "v1", {"layer"});
  registry.basic = std::move(wanted);
  net::testing::run(with_double(&registry, [&](RegistryOptions options) {
    options.credentials = credentials;
    return body(&registry, make_registry(std::move(options)));
  }));
}

Task<void> read(RegistryPtr client) { co_await client->get_manifest("shop/web", "v1"); }

TEST(Basic, IsSentWhenItWasAskedForAndThenAlways) {
  with_basic({user()}, "user:secret", [](RegistryDouble* registry, RegistryPtr client) -> Task<void> {
    for (int i = 0; i < 3; ++i) co_await read(client);
    EXPECT_EQ(registry->authorizations.front(), "");
    EXPECT_EQ(registry->authorizations.size(), 4U);
  });
}

TEST(Basic, TriesEachCredential) {
  with_basic({user("wrong"), {}, user()}, "user:secret",
             [](RegistryDouble*, RegistryPtr client) -> Task<void> { return read(client); });
}

TEST(Basic, CarriesTheTokenOfAServiceAccount) {
  with_basic({service_account(Secret("sha256~token"))}, "unused:sha256~token",
             [](RegistryDouble*, RegistryPtr client) -> Task<void> { return read(client); });
}

TEST(Basic, IsNotToldWhenItIsRefused) {
  with_basic({user("hunter2")}, "user:secret", [](RegistryDouble* registry, RegistryPtr client) -> Task<void> {
    // The double quotes what it was sent.
    EXPECT_THAT(co_await failure_of(read(client)),
                AllOf(StartsWith("Unauthorized: "), HasSubstr("not by Basic ***"), Not(HasSubstr("hunter2"))));
    EXPECT_EQ(registry->authorizations.size(), 2U);
  });
}

TEST(Basic, WithoutCredentialsTheRegistrysRefusalIsTold) {
  with_basic({}, "user:secret", [](RegistryDouble* registry, RegistryPtr client) -> Task<void> {
    EXPECT_THAT(co_await failure_of(read(client)),
                AllOf(StartsWith("Unauthorized: "), HasSubstr("give credentials for this registry")));
    EXPECT_THAT(registry->authorizations, Each(""));
  });
}

}  // namespace
}  // namespace mtc::oci::testing
