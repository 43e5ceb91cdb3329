#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "http/testing/test_server.hpp"
#include "net/testing/fault_gate.hpp"
#include "net/testing/outcome.hpp"
#include "oci/testing/double_server.hpp"
#include "oci/testing/registry_contract.hpp"

// The client beside registries that do things wrong, and networks that break.

namespace mtc::oci::testing {
namespace {

using net::testing::failure_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = RegistryFault::Kind;

const std::string kLayer = noise(1'000'000);

/// Runs `body` with a double that holds shop/web:v1 of one layer.
void with_image(std::vector<RegistryFault> faults, Task<void> (*body)(RegistryDouble*, RegistryOptions)) {
  RegistryDouble registry;
  registry.add_image("shop/web", "v1", {kLayer});
  registry.faults = std::move(faults);
  net::testing::run(
      with_double(&registry, [&](RegistryOptions options) { return body(&registry, std::move(options)); }));
}

Task<void> read_layer(RegistryOptions options) {
  const auto registry = make_registry(std::move(options));
  EXPECT_TRUE(co_await content(registry.get(), "shop/web", blob_of(kLayer)) == kLayer);
}

Task<void> read_manifest(RegistryOptions options) {
  const auto registry = make_registry(std::move(options));
  co_await registry->get_manifest("shop/web", "v1");
}

Task<void> write_layer(RegistryOptions options, std::string bytes = kLayer) {
  const auto registry = make_registry(std::move(options));
  co_await put(registry.get(), "shop/db", bytes);
}

TEST(RegistryFaults, ServerErrorsAreTriedAgain) {
  with_image({{.status = 500}, {.status = 503, .after = 1}, {.method = "PUT", .status = 502}},
             [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
               co_await read_layer(options);
               co_await write_layer(options, "small");
               EXPECT_EQ(registry->uploaded[Digest::of("small").str()], 1U);
             });
}

TEST(RegistryFaults, ServerErrorsWithoutEndAreToldWithWhatWasBeingDone) {
  with_image({{.status = 500, .times = 99}}, [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
    EXPECT_THAT(co_await failure_of(read_manifest(options)),
                AllOf(StartsWith("Unavailable: read manifest v1 of shop/web in registry http://127.0.0.1"),
                      HasSubstr("TEST: as the test wants")));
    EXPECT_EQ(registry->count("GET", "/manifests/v1"), 4U);
  });
}

TEST(RegistryFaults, TheRegistrySaysHowLongToWait) {
  with_image({{.status = 429, .headers = {{"Retry-After", "1"}}}},
             [](RegistryDouble*, RegistryOptions options) -> Task<void> {
               const auto began = std::chrono::steady_clock::now();
               co_await read_manifest(options);
               EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
             });
}

TEST(RegistryFaults, ABodyThatIsCutOffGoesOnWhereItWas) {
  with_image({{.kind = Kind::kTruncate, .path = "/blobs/", .times = 3}},
             [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
               co_await read_layer(options);
               EXPECT_EQ(registry->count("GET", "/blobs/"), 4U);
             });
}

TEST(RegistryFaults, ARegistryThatIgnoresRangesIsReadAgain) {
  with_image(
      {{.kind = Kind::kTruncate, .path = "/blobs/"}, {.kind = Kind::kIgnoreRange, .path = "/blobs/", .times = 9}},
      [](RegistryDouble*, RegistryOptions options) -> Task<void> { co_await read_layer(options); });
}

TEST(RegistryFaults, OtherBytesThanTheDigestNamesAreNoticed) {
  with_image({{.kind = Kind::kCorrupt, .times = 99}}, [](RegistryDouble*, RegistryOptions options) -> Task<void> {
    EXPECT_THAT(co_await failure_of(read_layer(options)),
                AllOf(StartsWith("Corrupt: read sha256:"), HasSubstr("another digest")));
    EXPECT_THAT(co_await failure_of(read_manifest(options)),
                AllOf(StartsWith("Corrupt: read manifest v1 of shop/web"), HasSubstr("another digest")));
  });
}

TEST(RegistryFaults, ALengthThatLiesIsNoticed) {
  with_image({{.kind = Kind::kShort, .path = "/blobs/", .times = 99}},
             [](RegistryDouble*, RegistryOptions options) -> Task<void> {
               EXPECT_THAT(co_await failure_of(read_layer(options)), HasSubstr("it ends at 999999 of 1000000 bytes"));
             });
  with_image({{.kind = Kind::kLong, .path = "/blobs/", .times = 99}},
             [](RegistryDouble*, RegistryOptions options) -> Task<void> {
               EXPECT_THAT(co_await failure_of(read_layer(options)),
                           AllOf(StartsWith("Corrupt: "), HasSubstr("longer than 1000000 bytes")));
             });
}

TEST(RegistryFaults, ASilentRegistryIsGivenUpOn) {
  with_image({{.kind = Kind::kStall, .times = 99}}, [](RegistryDouble*, RegistryOptions options) -> Task<void> {
    options.answer_limit = std::chrono::milliseconds(50);
    options.backoff.max_attempts = 2;
    EXPECT_THAT(co_await failure_of(read_manifest(options)), StartsWith("Timeout: read manifest v1 of shop/web"));
  });
}

TEST(RegistryFaults, AManifestThatIsTooLargeIsRefused) {
  RegistryDouble registry;
  registry.add_manifest("shop/web", "v1", "x", noise(10'000'000));
  net::testing::run(with_double(&registry, [](RegistryOptions options) -> Task<void> {
    EXPECT_THAT(co_await failure_of(read_manifest(options)),
                AllOf(StartsWith("Corrupt: "), HasSubstr("longer than 4194304 bytes")));
  }));
}

TEST(RegistryFaults, AnUploadThatBreaksGoesOnWhereItIs) {
  with_image({{.kind = Kind::kCutUpload, .method = "PATCH", .bytes = 400'000},
              {.kind = Kind::kCutUpload, .method = "PATCH", .bytes = 100'000}},
             [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
               co_await write_layer(options);
               EXPECT_EQ(registry->count("POST", "/uploads/"), 1U);
               EXPECT_EQ(registry->count("GET", "/uploads/"), 2U);
               EXPECT_TRUE(registry->repositories["shop/db"].blobs.contains(Digest::of(kLayer).str()));
             });
}

TEST(RegistryFaults, AnUploadThatIsForgottenStartsOver) {
  with_image({{.kind = Kind::kLoseUpload, .method = "PATCH", .bytes = 400'000}},
             [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
               co_await write_layer(options);
               EXPECT_EQ(registry->count("POST", "/uploads/"), 2U);
               EXPECT_TRUE(registry->repositories["shop/db"].blobs.contains(Digest::of(kLayer).str()));
             });
}

TEST(RegistryFaults, AnUploadThatNeverArrivesIsGivenUp) {
  with_image({{.kind = Kind::kLoseUpload, .method = "PATCH", .bytes = 400'000, .times = 99}},
             [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
               EXPECT_THAT(co_await failure_of(write_layer(options)), StartsWith("Unavailable: upload sha256:"));
               EXPECT_EQ(registry->count("POST", "/uploads/"), 4U);
             });
}

TEST(RegistryFaults, AnAnswerThatIsLostDoesNotUploadTwice) {
  static std::string body;
  for (const auto& bytes : {kLayer, std::string("small")}) {
    body = bytes;
    with_image({{.kind = Kind::kLoseAnswer, .method = "PUT"}},
               [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
                 co_await write_layer(options, body);
                 EXPECT_EQ(registry->uploaded[Digest::of(body).str()], 1U);
               });
  }
}

TEST(RegistryFaults, ARegistryThatDeniesIsNotAskedAgain) {
  with_image({{.method = "POST", .status = 403, .times = 99}},
             [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
               EXPECT_THAT(co_await failure_of(write_layer(options)), StartsWith("Forbidden: begin the upload of"));
               EXPECT_EQ(registry->count("POST", ""), 1U);
             });
}

TEST(RegistryFaults, ConnectionsThatBreakAnywhereDoNoHarm) {
  static std::uint64_t place;
  for (const std::uint64_t at : {1U, 100U, 300U, 5'000U, 300'000U, 999'999U}) {
    place = at;
    with_image({}, [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
      const auto tcp = options.connector;
      using net::testing::Faults;
      options.connector = net::testing::faulty_connector(tcp, {Faults{.reset_read_after = place}});
      co_await read_layer(options);
      options.connector = net::testing::faulty_connector(tcp, {Faults{.reset_write_after = place}});
      co_await write_layer(options);
      EXPECT_TRUE(registry->repositories["shop/db"].blobs.contains(Digest::of(kLayer).str()));
    });
  }
}

TEST(RegistryFaults, TagsComeInPages) {
  RegistryDouble registry;
  registry.tags_of_a_page = 2;
  for (const auto* const tag : {"a", "b", "c", "d", "e"}) registry.add_image("shop/web", tag, {});
  net::testing::run(with_double(&registry, [](RegistryOptions options) -> Task<void> {
    const auto client = make_registry(options);
    std::vector<std::string> all;
    std::string next;
    do {
      const auto page = co_await client->tags("shop/web", next);
      all.insert(all.end(), page.tags.begin(), page.tags.end());
      next = page.next;
    } while (!next.empty());
    EXPECT_THAT(all, ElementsAre("a", "b", "c", "d", "e"));
  }));
}

/// Another host that blobs are redirected to, as stores of clouds are. Notes what it is sent.
struct Elsewhere {
  std::string bytes;
  std::vector<std::string> authorizations;
  Task<void> handle(http::ServerRequest& request, http::ResponseWriter& writer) {
    authorizations.emplace_back(request.headers.get("Authorization"));
    co_await writer.respond({200, "", {}, bytes});
  }
};

TEST(RegistryFaults, CredentialsStayBehindWhereItRedirectsToAnotherHost) {
  Elsewhere elsewhere{kLayer, {}};
  RegistryDouble registry;
  registry.add_image("shop/web", "v1", {kLayer});
  registry.basic = "user:hunter2";
  auto handler = [&](http::ServerRequest& request, http::ResponseWriter& writer) {
    return elsewhere.handle(request, writer);
  };
  auto use = [](RegistryDouble* at, http::Url there) -> Task<void> {
    at->faults = {
        {.path = "/blobs/", .status = 307, .headers = {{"Location", there.str() + "/x?signature=y"}}, .after = 1}};
    co_await with_double(at, [](RegistryOptions options) -> Task<void> {
      options.credentials = {{.username = "user", .password = Secret("hunter2")}};
      return read_layer(std::move(options));
    });
  };
  net::testing::run(http::testing::with_server(handler, [&](http::Url url) { return use(&registry, std::move(url)); }));
  EXPECT_THAT(elsewhere.authorizations, ElementsAre(""));
  EXPECT_EQ(registry.authorizations.back(), "Basic dXNlcjpodW50ZXIy");
}

TEST(RegistryFaults, RedirectsWithoutEndAreNotFollowed) {
  with_image({{.path = "/blobs/", .status = 302, .headers = {{"Location", "/v2/shop/web/blobs/x"}}, .times = 99}},
             [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
               EXPECT_THAT(co_await failure_of(read_layer(options)), StartsWith("Unsupported: read sha256:"));
               EXPECT_EQ(registry->count("GET", "/blobs/"), 6U);
             });
}

TEST(RegistryFaults, NamesThatAreNoneAreNotSent) {
  with_image({}, [](RegistryDouble* registry, RegistryOptions options) -> Task<void> {
    const auto client = make_registry(options);
    auto get = [](RegistryPtr from, std::string repository, std::string target) -> Task<void> {
      co_await from->get_manifest(repository, target);
    };
    EXPECT_THAT(co_await failure_of(get(client, "../x", "v1")), StartsWith("Invalid: "));
    EXPECT_THAT(co_await failure_of(get(client, "shop/web", "v1?x=y")), StartsWith("Invalid: "));
    EXPECT_EQ(registry->log.size(), 0U);
  });
}

TEST(RegistryFaults, InsecureRegistriesMaySpeakPlainHttp) {
  with_image({}, [](RegistryDouble*, RegistryOptions options) -> Task<void> {
    options.host = options.host.substr(std::string("http://").size());
    options.backoff.max_attempts = 1;
    options.answer_limit = std::chrono::seconds(1);  // the double waits for the end of what it takes for a head
    EXPECT_THAT(co_await failure_of(read_manifest(options)), HasSubstr("TLS handshake with 127.0.0.1"));
    options.security = Security::kInsecure;
    co_await read_layer(options);
  });
}

TEST(RegistryFaults, AnUnknownCaIsNamedWithARemedy) {
  const auto now = system_clock().now();
  const auto ca = net::make_ca("CA", now);
  const auto certificate = net::issue_certificate(ca, "registry", {"127.0.0.1"}, {}, now);
  http::ServerOptions server;
  server.tls = net::TlsServerOptions{certificate.cert_pem, certificate.key_pem, ""};
  RegistryDouble registry;
  registry.add_image("shop/web", "v1", {kLayer});
  auto handler = [&](http::ServerRequest& request, http::ResponseWriter& writer) {
    return registry.handle(request, writer);
  };
  auto use = [](http::Url url, std::string ca_pem) -> Task<void> {
    auto options = options_of(url.authority());
    options.host = url.authority();
    EXPECT_THAT(co_await failure_of(read_manifest(options)),
                AllOf(StartsWith("Tls: "), HasSubstr("unknown authority"), HasSubstr("give the CA of the registry")));
    options.security = Security::kInsecure;
    co_await read_layer(options);
    options.security = Security::kVerified;
    options.ca_pem = ca_pem;
    co_await read_layer(options);
  };
  net::testing::run(http::testing::with_server(
      handler, [&](http::Url url) { return use(std::move(url), ca.cert_pem); }, std::move(server)));
}

}  // namespace
}  // namespace mtc::oci::testing
