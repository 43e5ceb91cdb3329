#include "oci/testing/registry_contract.hpp"

#include <utility>

#include <gmock/gmock.h>

#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "json/json.hpp"
#include "net/testing/outcome.hpp"
#include "oci/copy.hpp"

namespace mtc::oci::testing {
namespace {

using net::testing::failure_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kImageType = "application/vnd.docker.distribution.manifest.v2+json";

class BytesReader final : public BlobReader {
 public:
  explicit BytesReader(std::string bytes) : bytes_(std::move(bytes)) {}
  Task<std::string_view> read() override {
    constexpr std::size_t piece = 100'000;
    const auto out = std::string_view(bytes_).substr(at_, piece);
    at_ += out.size();
    co_return out;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

Json descriptor(const std::string& type, const std::string& bytes) {
  return {{"mediaType", type}, {"digest", Digest::of(bytes).str()}, {"size", bytes.size()}};
}

StoredManifest image(const std::string& config, const std::string& layer) {
  const Json json = {{"schemaVersion", 2},
                     {"mediaType", kImageType},
                     {"config", descriptor("application/vnd.docker.container.image.v1+json", config)},
                     {"layers", {descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)}}};
  const auto text = dump_pretty(json);
  return {kImageType, text, Digest::of(text)};
}

Task<StoredManifest> put_image(Registry* registry, std::string repository, std::string tag, std::string layer) {
  co_await put(registry, repository, "{}");
  co_await put(registry, repository, layer);
  auto stored = image("{}", layer);
  co_await registry->put_manifest(repository, tag, stored);
  co_return stored;
}

}  // namespace

std::string noise(std::size_t size, std::uint64_t seed) {
  SeededRng rng(seed);
  std::string out;
  out.reserve(size + 8);
  while (out.size() < size) {
    const auto word = rng.next();
    out.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  out.resize(size);
  return out;
}

Descriptor blob_of(const std::string& bytes) { return {"application/octet-stream", Digest::of(bytes), bytes.size()}; }

BlobOrigin origin_of(std::string bytes) {
  auto open = [](std::string rest) -> Task<BlobReaderPtr> { co_return std::make_unique<BytesReader>(std::move(rest)); };
  return [bytes = std::move(bytes), open](std::uint64_t offset) { return open(bytes.substr(offset)); };
}

Task<void> put(Registry* registry, std::string repository, std::string bytes) {
  co_await registry->put_blob(repository, blob_of(bytes), origin_of(bytes));
}

Task<std::string> content(Registry* registry, std::string repository, Descriptor blob, std::uint64_t offset) {
  const auto reader = co_await registry->open_blob(repository, blob, offset);
  std::string out;
  for (auto piece = co_await reader->read(); !piece.empty(); piece = co_await reader->read()) out += piece;
  co_return out;
}

void RegistryContract::check(Clause* clause) {
  if (!GetParam().skipped.empty()) GTEST_SKIP() << GetParam().skipped;
  net::testing::run(GetParam().with_registry([clause](RegistryOptions options) { return clause(std::move(options)); }));
}

TEST_P(RegistryContract, LetsUsInAndHasNothingYet) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    co_await registry->ping();
    EXPECT_EQ(co_await registry->head_manifest("shop/web", "v1"), std::nullopt);
    EXPECT_FALSE(co_await registry->get_manifest("shop/web", Digest::of("x").str()));
    EXPECT_EQ(co_await registry->head_blob("shop/web", Digest::of("x")), std::nullopt);
    EXPECT_THAT(co_await failure_of([](RegistryPtr r) -> Task<void> { co_await r->tags("shop/web"); }(registry)),
                AllOf(StartsWith("NotFound: list the tags of shop/web in registry"), HasSubstr("NAME_UNKNOWN")));
    EXPECT_THAT(co_await failure_of(
                    [](RegistryPtr r) -> Task<void> { co_await r->open_blob("shop/web", blob_of("x")); }(registry)),
                StartsWith("NotFound: read sha256:"));
  });
}

TEST_P(RegistryContract, BlobsComeBack) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    for (const auto& bytes : {std::string("small"), noise(65'536), noise(65'537, 2), noise(13'000'000, 3)}) {
      co_await put(registry.get(), "shop/web", bytes);
      EXPECT_EQ(co_await registry->head_blob("shop/web", Digest::of(bytes)), bytes.size());
      EXPECT_TRUE(co_await content(registry.get(), "shop/web", blob_of(bytes)) == bytes);
      EXPECT_TRUE(co_await content(registry.get(), "shop/web", blob_of(bytes), bytes.size() - 3) ==
                  bytes.substr(bytes.size() - 3));
      EXPECT_EQ(co_await content(registry.get(), "shop/web", blob_of(bytes), bytes.size()), "");
    }
  });
}

TEST_P(RegistryContract, BlobsMayGoInChunks) {
  check([](RegistryOptions options) -> Task<void> {
    options.upload_chunk = 300'000;
    const auto registry = make_registry(options);
    const auto bytes = noise(1'000'001);
    co_await put(registry.get(), "shop/web", bytes);
    EXPECT_TRUE(co_await content(registry.get(), "shop/web", blob_of(bytes)) == bytes);
  });
}

TEST_P(RegistryContract, AnUploadWithAnotherDigestIsRefused) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    for (const std::size_t size : {1000, 100'000}) {
      auto call = [](RegistryPtr to, std::string bytes) -> Task<void> {
        auto blob = blob_of(bytes);
        blob.digest = Digest::of("something else");
        co_await to->put_blob("shop/web", blob, origin_of(bytes));
      };
      EXPECT_THAT(co_await failure_of(call(registry, noise(size))), StartsWith("Corrupt: end the upload of sha256:"));
      EXPECT_EQ(co_await registry->head_blob("shop/web", Digest::of("something else")), std::nullopt);
    }
  });
}

TEST_P(RegistryContract, BlobsAreMountedFromOtherRepositories) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    const auto bytes = noise(100'000);
    co_await put(registry.get(), "shop/web", bytes);
    EXPECT_TRUE(co_await registry->mount_blob("shop/db", Digest::of(bytes), "shop/web"));
    EXPECT_EQ(co_await registry->head_blob("shop/db", Digest::of(bytes)), bytes.size());
    EXPECT_FALSE(co_await registry->mount_blob("shop/db", Digest::of("absent"), "shop/web"));
    EXPECT_FALSE(co_await registry->mount_blob("shop/db", Digest::of("absent"), "nobody/has"));
  });
}

TEST_P(RegistryContract, ManifestsComeBackBitForBit) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    const auto stored = co_await put_image(registry.get(), "shop/web", "v1", noise(100));
    EXPECT_EQ(co_await registry->head_manifest("shop/web", "v1"), stored.digest);
    for (const auto& target : {std::string("v1"), stored.digest.str()}) {
      const auto read = co_await registry->get_manifest("shop/web", target);
      EXPECT_EQ(read->bytes, stored.bytes);
      EXPECT_EQ(read->digest, stored.digest);
      EXPECT_EQ(read->media_type, kImageType);
    }
    co_await registry->put_manifest("shop/web", "v2", stored);
    EXPECT_THAT((co_await registry->tags("shop/web")).tags, ElementsAre("v1", "v2"));
  });
}

TEST_P(RegistryContract, AManifestNeedsItsBlobs) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    co_await put(registry.get(), "shop/web", "{}");
    auto call = [](RegistryPtr to) -> Task<void> {
      co_await to->put_manifest("shop/web", "v1", image("{}", "absent"));
    };
    EXPECT_THAT(co_await failure_of(call(registry)),
                AllOf(StartsWith("NotFound: write manifest v1 of shop/web in registry"), HasSubstr("BLOB_UNKNOWN")));
  });
}

TEST_P(RegistryContract, ManifestsAreDeletedByDigest) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    const auto stored = co_await put_image(registry.get(), "shop/web", "v1", noise(100));
    co_await registry->delete_manifest("shop/web", stored.digest);
    EXPECT_EQ(co_await registry->head_manifest("shop/web", "v1"), std::nullopt);
    co_await registry->delete_manifest("shop/web", stored.digest);
  });
}

TEST_P(RegistryContract, TagsMayBeLong) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    const std::string tag(128, 't');
    const auto stored = co_await put_image(registry.get(), "shop/web", tag, noise(100));
    EXPECT_EQ(co_await registry->head_manifest("shop/web", tag), stored.digest);
  });
}

TEST_P(RegistryContract, ManyRequestsMayRunAtOnce) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    auto one = [](Registry* to, std::size_t i) -> Task<void> {
      const auto bytes = noise(200'000, i + 1);
      const auto repository = "shop/r" + std::to_string(i % 3);
      co_await put(to, repository, bytes);
      EXPECT_TRUE(co_await content(to, repository, blob_of(bytes)) == bytes);
    };
    co_await async::parallel_for(20, 20, [&](std::size_t i) { return one(registry.get(), i); });
  });
}

TEST_P(RegistryContract, ImagesAreCopiedWithinIt) {
  check([](RegistryOptions options) -> Task<void> {
    const auto registry = make_registry(options);
    const auto stored = co_await put_image(registry.get(), "shop/web", "v1", noise(200'000));
    Copier copier;
    const auto result =
        co_await copier.copy({.from = {registry, "shop/web", "v1"}, .to = {registry, "shop/twin", "v2"}});
    EXPECT_EQ(result.digest, stored.digest);
    EXPECT_EQ(result.bytes_copied, 200'002U);
    EXPECT_EQ(co_await registry->head_manifest("shop/twin", "v2"), stored.digest);
    EXPECT_TRUE(co_await content(registry.get(), "shop/twin", blob_of(noise(200'000))) == noise(200'000));
  });
}

}  // namespace mtc::oci::testing
