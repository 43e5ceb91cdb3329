#include "oci/manifest.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mtc::oci {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

const std::string kOci = "application/vnd.oci.image.manifest.v1+json";
const std::string kOciIndex = "application/vnd.oci.image.index.v1+json";
const std::string kDocker = "application/vnd.docker.distribution.manifest.v2+json";
const std::string kDockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

std::string descriptor(const std::string& bytes, const std::string& more = "") {
  return R"({"mediaType":"x","size":)" + std::to_string(bytes.size()) + R"(,"digest":")" + Digest::of(bytes).str() +
         "\"" + more + "}";
}

std::string image(const std::string& more = "") {
  return R"({"schemaVersion":2,"config":)" + descriptor("c") + R"(,"layers":[)" + descriptor("layer") + "]" + more +
         "}";
}

std::string list(const std::string& more = "") {
  return R"({"schemaVersion":2,"manifests":[)" +
         descriptor("m", R"(,"platform":{"os":"linux","architecture":"arm64","variant":"v8"})") + "]" + more + "}";
}

std::string refusal_of(const std::string& text, const std::string& type) {
  try {
    return "read as " + Manifest::parse(text, type).media_type;
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
}

TEST(Manifest, OfAnImageIsReadInBothFamilies) {
  for (const auto& type : {kOci, kDocker}) {
    const auto manifest = Manifest::parse(image(), type);
    EXPECT_EQ(manifest.kind, Manifest::Kind::kImage);
    EXPECT_EQ(manifest.media_type, type);
    EXPECT_EQ(manifest.config->digest, Digest::of("c"));
    ASSERT_THAT(manifest.layers, SizeIs(1));
    EXPECT_EQ(manifest.layers[0].size, 5U);
  }
}

TEST(Manifest, OfAListIsReadInBothFamilies) {
  for (const auto& type : {kOciIndex, kDockerList}) {
    const auto manifest = Manifest::parse(list(), type);
    EXPECT_EQ(manifest.kind, Manifest::Kind::kIndex);
    ASSERT_THAT(manifest.manifests, SizeIs(1));
    EXPECT_EQ(manifest.manifests[0].platform, "linux/arm64/v8");
  }
}

TEST(Manifest, SaysItselfWhatItIsBeforeTheRegistryDoes) {
  const auto own = R"(,"mediaType":")" + kDocker + "\"";
  EXPECT_EQ(Manifest::parse(image(own), "text/plain").media_type, kDocker);
  EXPECT_EQ(Manifest::parse(image(), kOci + "; charset=utf-8").media_type, kOci);
  EXPECT_EQ(Manifest::parse(image(), "application/json").media_type, kOci);
  EXPECT_EQ(Manifest::parse(list(), "").media_type, kOciIndex);
  EXPECT_THAT(refusal_of(image(own), kOci), StartsWith("Corrupt: "));
}

TEST(Manifest, RefusesSchema1WithTheReason) {
  const std::string schema1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
  const std::string text = R"({"schemaVersion":1,"name":"x","fsLayers":[]})";
  for (const auto& type : {schema1, std::string("application/json")}) {
    EXPECT_THAT(refusal_of(text, type), ::testing::AllOf(StartsWith("Unsupported: "), HasSubstr("schema 1")));
  }
}

TEST(Manifest, RefusesUnknownTypesByName) {
  EXPECT_THAT(refusal_of(image(), "application/vnd.example+json"),
              ::testing::AllOf(StartsWith("Unsupported: "), HasSubstr("\"application/vnd.example+json\"")));
}

TEST(Manifest, RefusesWhatIsNone) {
  for (const auto& text :
       {std::string("[]"), std::string("{}"), std::string("{"), image(R"(,"manifests":[])"),
        std::string(R"({"config":)" + descriptor("c") + "}"),
        std::string(R"({"config":{"digest":"sha256:1","size":1},"layers":[]})"),
        std::string(R"({"config":{"digest":")" + Digest::of("c").str() + R"(","size":-1},"layers":[]})"),
        std::string(R"({"config":{"digest":")" + Digest::of("c").str() + R"("},"layers":[]})")}) {
    EXPECT_THAT(refusal_of(text, kOci), StartsWith("Corrupt: ")) << text;
  }
  EXPECT_THAT(refusal_of(image(), kOciIndex), StartsWith("Corrupt: "));
}

TEST(Manifest, KnowsForeignLayers) {
  Descriptor layer{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Digest::of("x"), 1, {"https://x"}};
  EXPECT_TRUE(is_foreign(layer));
  layer.urls.clear();
  EXPECT_FALSE(is_foreign(layer));
  EXPECT_FALSE(is_foreign({"application/vnd.oci.image.layer.v1.tar", Digest::of("x"), 1, {"https://x"}}));
}

}  // namespace
}  // namespace mtc::oci
